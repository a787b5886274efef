/** What the process ends with; `daybook --help` shows the table. */
export const EXIT = {
  fine: 0,
  error: 1,
  usage: 2,
  torn: 3,
  corrupt: 4,
} as const

export const EXIT_CODES_HELP = `
Exit codes:
  0    fine; verify: the journal is sound
  1    an error; import and shell: also when some of the lines or files failed
  2    a command or an option that there is not
  3    verify, and repair without --yes: the last frame is torn (opening sets it aside by itself)
  4    the journal is corrupt, and nothing was changed
  130  Ctrl-C (SIGINT); 143 SIGTERM; 129 SIGHUP. All of them close the journal cleanly`
