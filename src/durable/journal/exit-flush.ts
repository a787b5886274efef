/**
 * `process.exit()` and an uncaught exception end the process without another turn of the event loop. One `exit` listener for
 * all open journals then writes what the last turn appended. What later listeners append is written at once.
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
