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
    '!test/cli/{every-damage,file-command,import,import-ndjson,inspect,live,repair,shell-piped,terminal,verify}.test.ts',
    '!test/durable/history/exhaustive-damage.test.ts',
    '!test/edges/threads/{counting,flooding,order-of-turns,serial-order}.test.ts',
    '!test/files/pickle/{limits,python}.test.ts',
  ],
  environmentVariables: { DAYBOOK_RUNS_MAX: '100' },
}
