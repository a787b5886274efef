/** The name that was probably meant, whatever its case: the one with the fewest wrong letters, if there are only a few. */
export function suggest(typed: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(typed.length / 3)) + 1
  for (const name of names) {
    const distance =
      name.startsWith(typed) && typed.length > 1
        ? 1
        : editDistance(typed.slice(0, 40).toLowerCase(), name.toLowerCase())
    if (distance < fewest) {
      fewest = distance
      best = name
    }
  }
  return best
}

/** Damerau–Levenshtein distance, optimal string alignment. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      let least = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, at(beforePrevious, column - 2) + 1)
      }
      current.push(least)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] as number // callers stay within the row
}
