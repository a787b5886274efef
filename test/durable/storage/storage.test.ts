import { disk } from '../../../src/durable/storage/disk.js'
import { MemoryStorage } from '../../../src/durable/storage/memory.js'
import { STORAGE_CASES } from '../../conformance/storage.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { runCases } from '../../helpers/run-cases.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

runCases('disk', STORAGE_CASES, (t) => ({ storage: disk, directory: temporaryDirectory(t) }))
runCases('memory', STORAGE_CASES, () => ({ storage: new MemoryStorage(), directory: 'memory' }))
runCases('simulated disk', STORAGE_CASES, () => ({ storage: new SimulatedDisk().process(), directory: '/j' }))
