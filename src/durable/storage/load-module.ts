/**
 * Loads modules that most caches do not use. Node.js remembers for the life of the process that a module could not be loaded, so
 * a moment without file handles must not be the moment of loading it: whether there are enough is found out first.
 */
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { outsideRequests } from '../outside-requests.js'

/** More than the modules of one call that Node.js reads at the same time. */
const HANDLES = 40

/** @throws the error of the operating system if there are too few file handles; trying again later may succeed. */
export async function loadModule<T>(load: () => Promise<T>): Promise<T> {
  const handles: number[] = []
  try {
    while (handles.length < HANDLES) handles.push(openSync(devNull, 'r'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE') throw error
    // Otherwise there is no such device here, and loading has to show.
  } finally {
    for (const handle of handles) closeSync(handle)
  }
  return outsideRequests(load) // what a module keeps belongs to no request
}
