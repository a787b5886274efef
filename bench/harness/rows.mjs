/** Finds figures among the rows of a run. What was not measured, or by a system that is missing, is `undefined`. */
export function figuresOf(rows) {
  const find = (wanted) =>
    rows.find((row) => row.absent === undefined && Object.entries(wanted).every(([name, value]) => row[name] === value))
  return {
    find,
    value: (wanted) => find(wanted)?.value,
    ratio: (wanted) => find(wanted)?.ratio,
    ratios: (wanted, systems) =>
      systems.map((system) => find({ ...wanted, system })?.ratio).filter((one) => one !== undefined),
  }
}
