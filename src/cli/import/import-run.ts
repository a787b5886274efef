/** What an import has done so far, and what it says at the end. */
import { ratePerSecond, showBytes, showCount, showCountOf, showMilliseconds } from '../quantities.js'

/** The pace of fewer says more of starting up than of the import. */
const RATED_LEAST = 100

export class Tally {
  imported = 0
  /** Already there with the same content. */
  unchanged = 0
  failed = 0
  bytes = 0

  text(unit: string, elapsedMs: number): string {
    const parts = [
      `Imported ${showCountOf(this.imported, unit)} (${showBytes(this.bytes)}) in ${showMilliseconds(elapsedMs)}`,
    ]
    if (this.imported >= RATED_LEAST) parts.push(`${showCount(ratePerSecond(this.imported, elapsedMs))} a second`)
    if (this.unchanged > 0) parts.push(`${showCount(this.unchanged)} were there already`)
    if (this.failed > 0) parts.push(`${showCount(this.failed)} failed`)
    return `${parts.join(', ')}.`
  }
}
