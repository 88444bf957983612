package main

// helpCmd is `ferry help [COMMAND]...`: the same as COMMAND --help.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"Which; ferry itself without one."`
}

func (cmd *helpCmd) Run(c console) error {
	parser, err := newParser(c)
	if err != nil {
		return err
	}
	// --help prints, and ends the process, before anything else is looked at.
	_, err = parser.Parse(append(cmd.Command, "--help"))
	return misspelt(err)
}
