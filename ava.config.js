import { availableParallelism } from 'node:os'

// The build runs before ava (`npm test` sees to it), so nothing is compiled here: a test file is only mapped to its output.
export default {
  files: ['test/**/*.test.ts'],
  typescript: {
    rewritePaths: {
      'src/': 'dist/src/',
      'test/': 'dist/test/',
    },
    compile: false,
  },
  nodeArguments: ['--enable-source-maps'],
  // One process per file: tests kill, lock, fault and start threads of their own.
  workerThreads: false,
  // Two at a time on small machines; half of the processors elsewhere, so that the tests that watch the event loop are not starved.
  concurrency: Math.max(2, Math.floor(availableParallelism() / 2)),
  // Without any progress for this long, ava gives up.
  timeout: '2m',
}
