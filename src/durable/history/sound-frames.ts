import type { Frame } from '../format/frame.js'
import type { FrameScanner } from '../format/frame-scanner.js'

/** The sound frames that begin after `offset`, with anything in between. */
export async function* soundFramesAfter(
  scanner: FrameScanner,
  offset: number,
): AsyncGenerator<{ frame: Frame; bytes: Buffer }> {
  for (let from = offset; ; ) {
    if ((await scanner.findFrame(from, () => true)) === undefined) return
    for (;;) {
      const scanned = await scanner.next() // first the frame that was just found
      if (scanned === undefined) return
      if (scanned.frame === undefined) {
        from = scanned.offset
        break
      }
      yield scanned
    }
  }
}
