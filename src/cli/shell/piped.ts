/** The shell without a terminal: one command per line. A line that fails is reported with its number, and the rest still run. */
import { createInterface } from 'node:readline'
import type { AnyCache } from '../journal/any-cache.js'
import { EXIT } from '../terminal/exit-codes.js'
import { messageOf } from '../terminal/failures.js'
import type { Interruption } from '../terminal/interruption.js'
import { output, remark } from '../terminal/output.js'
import { runLine } from './run-line.js'
import { Watching } from './watching.js'

export async function runPiped(cache: AnyCache, interruption: Interruption): Promise<number> {
  const print = (line: string) => output.line(line)
  const watching = new Watching(cache, output.colors, print)
  const readline = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY, terminal: false })
  let isLeaving = false
  const leave = () => {
    isLeaving = true
  }
  const stop = () => readline.close()
  interruption.signal.addEventListener('abort', stop)
  if (interruption.isStopped) stop()

  let lineNumber = 0
  let exitCode: number = EXIT.fine
  try {
    for await (const line of readline) {
      lineNumber++
      try {
        await runLine(line, { cache, colors: output.colors, watching, print, hint: () => undefined, leave })
      } catch (error) {
        remark(`daybook: line ${lineNumber}: ${messageOf(error)}`)
        exitCode = EXIT.error
      }
      if (isLeaving || interruption.isStopped) break
    }
  } finally {
    interruption.signal.removeEventListener('abort', stop)
    watching.stop()
    readline.close()
    process.stdin.destroy() // a writer gets EPIPE, and nothing keeps the process alive
  }
  return exitCode
}
