/** Counts since the last `clear()`. Every frame of the journal carries them. */
export class Counters {
  hits = 0
  misses = 0
  evictions = 0
  expirations = 0
  sets = 0
  deletes = 0

  copyFrom(other: Readonly<Counters>): void {
    this.hits = other.hits
    this.misses = other.misses
    this.evictions = other.evictions
    this.expirations = other.expirations
    this.sets = other.sets
    this.deletes = other.deletes
  }

  equals(other: Readonly<Counters>): boolean {
    return (
      this.hits === other.hits &&
      this.misses === other.misses &&
      this.evictions === other.evictions &&
      this.expirations === other.expirations &&
      this.sets === other.sets &&
      this.deletes === other.deletes
    )
  }

  reset(): void {
    this.copyFrom(ZERO)
  }
}

const ZERO: Readonly<Counters> = new Counters()
