/**
 * `process.exit()` and an uncaught exception end the process without another turn of the event loop. What was appended in
 * the last turn is handed to the operating system here, by one listener for all open journals. Listeners that were added
 * after it run after it; what they append is written at once.
 */
const open = new Set<() => void>()

function writeAllPending(): void {
  for (const writePending of open) writePending()
}

export function writeAtExit(writePending: () => void): () => void {
  if (open.size === 0) process.on('exit', writeAllPending)
  open.add(writePending)
  return () => {
    open.delete(writePending)
    if (open.size === 0) process.off('exit', writeAllPending)
  }
}
