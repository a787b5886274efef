import config from './ava.config.js'

/** `npm run test:quick`: without the tests that crash, damage every byte, race threads or run programs; fewer random runs. */
export default {
  ...config,
  files: [
    ...config.files,
    '!test/bench/**',
    '!test/crash/**',
    '!test/examples/**',
    '!test/cache/actor/process-end.test.ts',
    '!test/cli/{commands,repair,verify}/**',
    '!test/cli/import/import-ndjson.test.ts',
    '!test/cli/shell/{interactive,piped}.test.ts',
    '!test/durable/history/exhaustive-damage.test.ts',
    '!test/edges/cluster/broken-protocols.test.ts',
    '!test/edges/threads/{counting,order-of-turns,serial-order,owner/flooding}.test.ts',
    '!test/files/pickle/{limits,python}.test.ts',
  ],
  environmentVariables: { DAYBOOK_RUNS_MAX: '100' },
}
