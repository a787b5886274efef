/** Exit codes of the process; `daybook --help` shows the table. */
export const EXIT = {
  fine: 0,
  error: 1,
  usage: 2,
  torn: 3,
  corrupt: 4,
} as const

export const EXIT_CODES_HELP = `
Exit codes:
  0    success; verify: the journal is sound
  1    an error; import and shell: also if some lines or files failed
  2    unknown command or option, or an invalid argument
  3    verify, and repair without --yes: the last frame is torn (the next opening sets it aside)
  4    the journal is corrupt; nothing was changed
  130  Ctrl-C (SIGINT), 143 SIGTERM, 129 SIGHUP; the journal is closed cleanly`
