/** The version of this package, which the greetings name. A test compares it with package.json. */
export const DAYBOOK_VERSION = '0.1.0'
