import { rmSync } from 'node:fs'
import { packedProject } from './test/ecosystem/project.mjs'

// The packed library with the tools of its users. Needs `npm ci --prefix test/ecosystem`; .ci/run does that and runs it.
const { root, project, tarball } = await packedProject()
process.on('exit', () => rmSync(root, { recursive: true, force: true }))

export default {
  files: ['test/ecosystem/*.test.mjs'],
  workerThreads: false,
  concurrency: 2,
  timeout: '4m',
  environmentVariables: { DAYBOOK_PROJECT: project, DAYBOOK_TARBALL: tarball },
}
