// The packed library with the tools of its users. Needs `npm ci --prefix test/ecosystem`; .ci/run does that and runs it.
export default {
  files: ['test/ecosystem/*.test.mjs'],
  workerThreads: false,
  timeout: '4m',
}
