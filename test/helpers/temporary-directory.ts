import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A directory for this test, removed at the end of it. */
export function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
