/** A journal with frames in wrong places: swapped, duplicated, dropped, or from another of its files. */
import { FILE_HEADER_BYTES } from '../../../src/durable/format/format.js'
import { type Files, framesOf, type WrittenJournal, withFile } from './written-journal.js'

export interface FrameDamage {
  what: string
  files: Files
  /** Whether it must be refused. A missing last frame of a file looks like a torn tail. */
  isRefused: boolean
}

export function* frameDamages(journal: WrittenJournal): Generator<FrameDamage> {
  const all = [...journal.files].filter(([path]) => !path.endsWith('LOCK'))
  for (const [path, content] of all) {
    const parts = partsOf(content)
    const build = (order: readonly Uint8Array[]) =>
      withFile(journal.files, path, Buffer.concat([content.subarray(0, FILE_HEADER_BYTES), ...order]))
    const refused = (what: string, order: readonly Uint8Array[]) => ({ what, files: build(order), isRefused: true })

    for (const [a, part] of parts.entries()) {
      yield {
        what: `${path} without frame ${a}`,
        files: build(parts.filter((_, at) => at !== a)),
        isRefused: a < parts.length - 1,
      }
      yield refused(`${path}, frame ${a} duplicated`, parts.toSpliced(a, 0, part))
      for (const [b, other] of parts.entries())
        if (b > a) yield refused(`${path}, ${a} and ${b} swapped`, parts.with(a, other).with(b, part))
      for (const [file, foreign] of all) {
        if (file === path) continue
        for (const [at, bytes] of partsOf(foreign).entries()) {
          yield refused(`frame ${at} of ${file} in ${path} instead of ${a}`, parts.with(a, bytes))
          yield refused(`frame ${at} of ${file} in ${path} before ${a}`, parts.toSpliced(a, 0, bytes))
        }
      }
    }
  }
}

function partsOf(content: Uint8Array): Uint8Array[] {
  return framesOf(content).map(({ offset, length }) => content.subarray(offset, offset + length))
}
