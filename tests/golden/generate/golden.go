// Writes what franz-go makes of every message that this broker knows, one JSON object a line:
// {"message", "version", "sample", "hex"}. See README.md.
package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// filler gives each field a value of its own, different from its default.
type filler struct{ next int64 }

func (f *filler) fill(v reflect.Value) {
	f.next++
	n := f.next
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int8:
		v.SetInt(-1 - n%127)
	case reflect.Int16:
		v.SetInt(n * 199 % 32767)
	case reflect.Uint16:
		v.SetUint(uint64(65535 - n*199%65535))
	case reflect.Int32:
		v.SetInt(-0x04030200 + n)
	case reflect.Int64:
		v.SetInt(0x0807060504030200 - n)
	case reflect.Float64:
		v.SetFloat(float64(n) + 0.25)
	case reflect.String:
		v.SetString(fmt.Sprintf("żółć-%d", n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Array: // a uuid
		for i := 0; i < v.Len(); i++ {
			v.Index(i).SetUint(uint64(n*7+int64(i)) & 0xff)
		}
	case reflect.Slice:
		f.slice(v, n)
	case reflect.Struct:
		f.fields(v)
	default:
		panic(v.Kind())
	}
}

func (f *filler) slice(v reflect.Value, n int64) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes([]byte{byte(n), 0, 0xff, byte(n >> 8)})
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 2, 2))
	for i := 0; i < v.Len(); i++ {
		e := v.Index(i)
		if e.Kind() == reflect.Struct {
			e.Addr().MethodByName("Default").Call(nil)
		}
		f.fill(e)
	}
}

func (f *filler) fields(v reflect.Value) {
	for i := 0; i < v.NumField(); i++ {
		name := v.Type().Field(i).Name
		if name != "Version" && name != "UnknownTags" {
			f.fill(v.Field(i))
		}
	}
}

func print(name, kind, sample string, version int16, bytes []byte) {
	fmt.Printf("{\"message\":\"%s%s\",\"version\":%d,\"sample\":\"%s\",\"hex\":\"%s\"}\n", name, kind,
		version, sample, hex.EncodeToString(bytes))
}

// nameForKey is Kafka's name of an API, but for the case of its letters.
func nameForKey(key int16) string {
	if name := kmsg.NameForKey(key); name != "AlterPartitionAssignments" {
		return name
	}
	return "AlterPartitionReassignments"
}

func main() {
	table, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		var name string
		var low, high int16
		fmt.Sscan(row, &name, &low, &high)
		for key := int16(0); key <= kmsg.MaxKey; key++ {
			request := kmsg.RequestForKey(key)
			if request == nil || !strings.EqualFold(nameForKey(key), name) {
				continue
			}
			if request.MaxVersion() < high {
				fmt.Fprintf(os.Stderr, "%s: only to version %d\n", name, request.MaxVersion())
			}
			for v := low; v <= min(high, request.MaxVersion()); v++ {
				for _, sample := range []string{"full", "default"} {
					request, response := kmsg.RequestForKey(key), kmsg.ResponseForKey(key)
					if sample == "full" {
						new(filler).fields(reflect.ValueOf(request).Elem())
						new(filler).fields(reflect.ValueOf(response).Elem())
					}
					request.SetVersion(v)
					response.SetVersion(v)
					print(name, "Request", sample, v, request.AppendTo(nil))
					print(name, "Response", sample, v, response.AppendTo(nil))
				}
			}
		}
	}
}
