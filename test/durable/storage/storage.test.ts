import { disk } from '../../../src/durable/storage/disk.js'
import { MemoryStorage } from '../../../src/durable/storage/memory.js'
import { testStorage } from '../../conformance/storage.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { SimulatedDisk } from './simulated-disk.js'

testStorage('disk', async (t) => ({ storage: disk, directory: await temporaryDirectory(t) }))
testStorage('memory', async () => ({ storage: new MemoryStorage(), directory: 'memory' }))
testStorage('simulated disk', async () => ({ storage: new SimulatedDisk().process(), directory: '/j' }))
