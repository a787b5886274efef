import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for this test, removed at the end of it. */
export function temporaryDirectory(t) {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-ecosystem-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
