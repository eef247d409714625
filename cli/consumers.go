package cli

import (
	"fmt"
	"reflect"

	"github.com/alecthomas/kong"
)

// subcommand wraps a pointer to a command for kong, which takes commands only as fields of a struct.
func subcommand[C any](name, help string, command *C) any {
	holder := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Command", Type: reflect.TypeFor[C](), Tag: reflect.StructTag(fmt.Sprintf(`cmd:"" name:%q help:%q`, name, help)),
	}}))
	holder.Elem().Field(0).Set(reflect.ValueOf(command).Elem())
	return holder.Interface()
}

// checkOwn validates the flags that only one consumer has.
func checkOwn(own kong.Plugins) error {
	for _, flags := range own {
		if v, checks := flags.(interface{ Validate() error }); checks {
			if err := v.Validate(); err != nil {
				return err
			}
		}
	}
	return nil
}
