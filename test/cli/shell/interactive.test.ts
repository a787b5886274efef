/** The shell at a terminal, provided by `script` of util-linux: the prompt, live stats, completion, Ctrl-C, colours. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { daybook, MAIN } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const hasScript = process.platform === 'linux' && existsSync('/usr/bin/script')
const test = hasScript ? anyTest.serial : anyTest.serial.skip

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

class TerminalProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly ended: Promise<number | null>
  /** What was printed, without colours and cursor movements. */
  #screen = ''
  /** What was printed, byte for byte. */
  raw = ''
  #read = 0
  #onOutput: (() => void)[] = []

  constructor(t: ExecutionContext, cwd: string, args = 'shell') {
    const command = `stty cols 100 && exec '${process.execPath}' '${MAIN}' ${args}`
    this.#child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
      cwd,
      env: { ...process.env, TERM: 'xterm', DAYBOOK_HISTORY: join(cwd, 'history') },
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.raw += text
      this.#screen += text.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '')
      for (const listener of this.#onOutput.splice(0)) listener()
    })
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        for (const listener of this.#onOutput.splice(0)) listener()
        resolve(code)
      })
    })
    t.teardown(() => this.#child.kill('SIGKILL'))
  }

  type(keys: string): void {
    this.#child.stdin.write(keys)
  }

  /** Resolves when something new is printed that matches. */
  async until(pattern: RegExp): Promise<void> {
    for (;;) {
      const found = pattern.exec(this.#screen.slice(this.#read))
      if (found !== null) {
        this.#read += found.index + found[0].length
        return
      }
      if (this.#child.exitCode !== null) throw new Error(`It ended without ${pattern}: ${this.#screen}`)
      await new Promise<void>((resolve) => this.#onOutput.push(resolve))
    }
  }
}

test('the prompt shows current stats without disturbing what is typed', async (t) => {
  const shell = new TerminalProcess(t, temporaryDirectory(t))
  await shell.until(/New journal in journal: nothing to recover/)
  await shell.until(/daybook 0 entries> /)
  shell.type('set a 1 1s\r')
  await shell.until(/OK/)
  await shell.until(/daybook 1 entry> /)
  shell.type('get half')
  await shell.until(/daybook 0 entries, 1 expired> get half/)
  shell.type('-typed\r')
  await shell.until(/\(nil\)/)
  shell.type(CTRL_D)
  await shell.until(/Closed\. Everything through sequence 2 is on disk\./)
  t.is(await shell.ended, 0)
})

test('Tab completes commands and keys, and the history is kept for the next shell', async (t) => {
  const cwd = temporaryDirectory(t)
  const first = new TerminalProcess(t, cwd)
  await first.until(/> /)
  first.type('set user:alice 41\r')
  await first.until(/OK/)
  await first.until(/> /)
  // Key by key: a Tab in pasted text is only a tab.
  first.type('inc')
  await first.until(/inc/)
  first.type('\t')
  await first.until(/rement /)
  first.type('us')
  await first.until(/us/)
  first.type('\t')
  await first.until(/er:alice /)
  first.type('\r')
  await first.until(/42/)
  first.type('exit\r')
  t.is(await first.ended, 0)

  const second = new TerminalProcess(t, cwd)
  await second.until(/Recovered 1 entry/)
  await second.until(/> /)
  second.type('\u001b[A\u001b[A\r') // up, up: past exit
  await second.until(/increment user:alice/)
  await second.until(/43/)
  second.type('exit\r')
  t.is(await second.ended, 0)
})

test('watched changes are printed above what is typed', async (t) => {
  const shell = new TerminalProcess(t, temporaryDirectory(t))
  await shell.until(/> /)
  shell.type('watch a*\r')
  await shell.until(/watching a\*, until "watch off" or an empty line/)
  await shell.until(/> /)
  shell.type('set ab 1 1s\r')
  await shell.until(/#1 set +ab = 1 expires/)
  shell.type('get ha')
  await shell.until(/#2 expired +ab\s+daybook [^>]*> get ha/)
  shell.type(CTRL_C) // drops what is typed
  shell.type('\r')
  await shell.until(/no longer watching/)
  shell.type('exit\r')
  t.is(await shell.ended, 0)
})

/** As data may have it: sets the title of the window, clears the screen, reverses the line. */
const HOSTILE = '\u001b]0;title\u0007\u001b[2J\u009b2J\u202e'

async function writeHostile(cwd: string): Promise<void> {
  const cache = await openCache({ directory: join(cwd, 'journal') })
  cache.set(`key ${HOSTILE}`, HOSTILE)
  cache.set('map', new Map([['bigint', 1n]]))
  await cache.close()
}

test('output is coloured, and nothing but our own colours is an escape sequence', async (t) => {
  const cwd = temporaryDirectory(t)
  await writeHostile(cwd)
  const inspect = new TerminalProcess(t, cwd, 'inspect')
  t.is(await inspect.ended, 0)
  t.regex(inspect.raw, /\u001b\[2m#1\u001b\[22m .*\u001b\[32mset {8}\u001b\[39m "key \\u001b\]0;title\\u0007/)
  t.notRegex(inspect.raw.replace(/\u001b\[\d+m/g, ''), /[^\P{C}\r\n]/u)
})

test('at the prompt values are coloured, and control characters in data are escaped', async (t) => {
  const cwd = temporaryDirectory(t)
  await writeHostile(cwd)
  const shell = new TerminalProcess(t, cwd)
  await shell.until(/> /)
  shell.type('get map\r')
  await shell.until(/1n/)
  t.true(shell.raw.includes("{ \u001b[32m'bigint'\u001b[39m => \u001b[33m1n\u001b[39m }"))
  shell.type('get key')
  await shell.until(/get key/)
  shell.type('\t')
  await shell.until(/get "key \\u001b/)
  shell.type('\r')
  await shell.until(/"\\u001b\]0;title/)
  shell.type('keys\r')
  await shell.until(/"key \\u001b/)
  shell.type(CTRL_D)
  t.is(await shell.ended, 0)
  t.notRegex(shell.raw, /\u001b\]|\u0007|\u001b\[2J|\u009b|\u202e/)
})

test('Ctrl-C on an empty line closes the journal cleanly and ends with 130', async (t) => {
  const cwd = temporaryDirectory(t)
  const shell = new TerminalProcess(t, cwd)
  await shell.until(/> /)
  shell.type('set a 1\r')
  await shell.until(/OK/)
  await shell.until(/> /)
  shell.type(CTRL_C)
  t.is(await shell.ended, 130)
  const stats = await daybook(t, ['stats', '--json'], { cwd })
  t.like(JSON.parse(stats.stdout), { size: 1, isClosedCleanly: true })
})
