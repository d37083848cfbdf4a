package app

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/lykta/lykta/cloud/web"
)

type openapiCmd struct{}

// apiVersion is the version of the API, not of the program: the description
// changes when the API does.
const apiVersion = "1"

// Run prints the description of the API.
func (openapiCmd) Run(env Env) error {
	description, err := web.OpenAPI(apiVersion)
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, description, "", "  "); err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	_, err = fmt.Fprintln(env.Out, out.String())
	return err
}
