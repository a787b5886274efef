import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { disk } from '../../../src/durable/storage/disk.js'
import { memoryJournal } from '../../../src/open.js'
import { testJournal } from '../../conformance/journal.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { SimulatedDisk } from '../storage/simulated-disk.js'

testJournal('memory', async () => {
  const journal = memoryJournal()
  return () => journal
})
testJournal('file', async (t) => {
  const folder = await temporaryDirectory(t)
  return () => new FileJournal(disk, folder)
})
testJournal('simulated disk', async () => {
  const storage = new SimulatedDisk().process()
  return () => new FileJournal(storage, '/j')
})
