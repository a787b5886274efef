import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { disk } from '../../../src/durable/storage/disk.js'
import { memoryJournal } from '../../../src/open.js'
import { journalCases } from '../../../src/testing/conformance/journal-cases.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { runCases } from '../../helpers/run-cases.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

runCases('memory', journalCases, () => {
  const journal = memoryJournal()
  return () => journal
})
runCases('file', journalCases, (t) => {
  const directory = temporaryDirectory(t)
  return () => new FileJournal(disk, directory)
})
runCases('simulated disk', journalCases, () => {
  const storage = new SimulatedDisk().process()
  return () => new FileJournal(storage, '/j')
})
