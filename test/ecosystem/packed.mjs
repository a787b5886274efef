/** The packed library, as a program that has installed it gets it. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The project that project.mjs has made. */
export const project = process.env.DAYBOOK_PROJECT

/** Loads `daybook` and its subpaths. Frameworks are imported as usual: they are installed beside the tests. */
export const packed = createRequire(join(project, 'package.json'))
