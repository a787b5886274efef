import { memoryLog } from '../../../src/edges/cluster/memory/engine.js'
import { logCases } from '../../../src/testing/conformance/log-cases.js'
import { runCases } from '../../helpers/run-cases.js'

runCases('memory', logCases, () => {
  const engine = memoryLog()
  return (node: string) => engine('test', node)
})
