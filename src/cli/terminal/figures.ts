/** Names and figures in two columns. */
export type Figure = readonly [name: string, value: string]

export function figureLines(figures: readonly Figure[]): string[] {
  const width = Math.max(...figures.map(([name]) => name.length))
  return figures.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}
