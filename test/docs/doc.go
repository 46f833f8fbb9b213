// Package docs runs the command blocks of README.md and of every other page in Markdown, and
// compares what they print with what the page shows.
//
// Each page is one session of bash in a sandbox: a root directory, a network and processes of
// its own, in which chartserve, real Helm clients and the programs of this machine are
// there, port 8879 is free and nothing outside can be reached. Blocks run in the order of
// the page, so that variables, the working directory and files stay.
//
//   - A block tagged sh is a list of commands, each of which has to succeed.
//   - A block tagged console is a session: lines with "$ " are commands, the others what they
//     print.
//   - A block without a tag is what the block before it prints.
//   - Other blocks (yaml, ini, ...) are data, and an unknown tag is an error.
//
// A command that starts a server (chartserve serve, make serve) stays in the background
// until the next one starts or the page ends. In what a page shows, a line "..." stands for
// any lines, "..." in a line for any text; times and durations are equal to all others.
//
// What can't be had in a sandbox has a stand-in in tools/: sudo and systemctl, the go that make build calls (the
// program under test is built before), helm install, which renders. Targets of make that take minutes are only
// looked up. Names such as charts.example.com are this machine, where setups serve what pages find there.
//
// An HTML comment right before a block says what else it needs, see [Mark]:
//
//	<!-- run: file NAME -->         writes the block to NAME, which later commands read
//	<!-- run: prints -->            the block is what the block before it prints, whatever its tag
//	<!-- run: log -->               the server that runs says that on stderr, soon, among other lines
//	<!-- run: exit 1 -->            its last command ends with that status
//	<!-- run: stop -->              the server that runs is stopped first
//	<!-- run: server -->            its last command starts a server that the runner does not know
//	<!-- run: setup NAME -->        sources setup/NAME.sh first
//	<!-- run: no, REASON -->        it can't be run here; [Reasons] has the reasons
//
// A comment of several lines that begins with <!-- run holds commands that readers do not see. The
// setup of a page that has its name (setup/access.sh for docs/access.md) is sourced at its
// beginning without a comment, and setup/functions.sh before all of them.
package docs
