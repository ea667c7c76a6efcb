package toolcell

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Schema is the JSON Schema (2020-12) of a type, as the host shows it to clients.
//
// A field's name is that of encoding/json. Its other tags:
//
//	doc:"What is to be done."     description, for the model
//	title:"Title"                 name for people
//	min:"1" max:"200"             bounds: of a number, of the length of a text, of the number of items
//	enum:"open,done,all"          all values there are
//	default:"open"                the value if it is left out
//	pattern:"^[a-z]+$"            a regular expression
//	format:"uri"                  such as uri, date-time, email
//	example:"Buy milk"            an example
//
// A field that is a pointer, has omitempty, omitzero or a default may be left out; every other one is required.
func Schema[T any]() string { return schemaText(reflect.TypeFor[T]()) }

func schemaText(t reflect.Type) string {
	var b bytes.Buffer
	writeSchema(&b, t, nil, nil)
	return b.String()
}

// inputSchema is that of arguments; no struct has none.
func inputSchema(t reflect.Type) string {
	if t.Kind() == reflect.Struct && t.NumField() == 0 {
		return `{"type":"object","additionalProperties":false}`
	}
	return schemaText(t)
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	textType    = reflect.TypeFor[encoding.TextMarshaler]()
	schemerType = reflect.TypeFor[Schemer]()
)

// Schemer is a type that writes its own schema, the text of a JSON object.
type Schemer interface{ JSONSchema() string }

// writeSchema writes an object; field is where the type stands, if it is a field. Within holds the structs around it: a type that
// holds itself is any value there, because many clients do not follow references.
func writeSchema(b *bytes.Buffer, t reflect.Type, field *reflect.StructField, within []reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Implements(schemerType) {
		b.WriteString(reflect.Zero(t).Interface().(Schemer).JSONSchema())
		return
	}
	b.WriteByte('{')
	least, most := "minimum", "maximum"
	switch {
	case t == timeType:
		b.WriteString(`"type":"string","format":"date-time"`)
	case t == rawType || t.Kind() == reflect.Interface:
	case t.Kind() != reflect.String && t.Implements(textType):
		b.WriteString(`"type":"string"`)
		least, most = "minLength", "maxLength"
	default:
		switch t.Kind() {
		case reflect.String:
			b.WriteString(`"type":"string"`)
			least, most = "minLength", "maxLength"
		case reflect.Bool:
			b.WriteString(`"type":"boolean"`)
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			b.WriteString(`"type":"integer"`)
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			b.WriteString(`"type":"integer"`)
			if field == nil || field.Tag.Get("min") == "" {
				b.WriteString(`,"minimum":0`)
			}
		case reflect.Float32, reflect.Float64:
			b.WriteString(`"type":"number"`)
		case reflect.Slice, reflect.Array:
			if t.Elem().Kind() == reflect.Uint8 {
				b.WriteString(`"type":"string","contentEncoding":"base64"`)
				least, most = "minLength", "maxLength"
				break
			}
			b.WriteString(`"type":"array","items":`)
			writeSchema(b, t.Elem(), nil, within)
			least, most = "minItems", "maxItems"
		case reflect.Map:
			b.WriteString(`"type":"object","additionalProperties":`)
			writeSchema(b, t.Elem(), nil, within)
		case reflect.Struct:
			writeObject(b, t, within)
		default:
			panic(fmt.Sprintf("toolcell: %s cannot be written as JSON", t))
		}
	}
	if field != nil {
		writeTags(b, t, field.Tag, least, most)
	}
	b.WriteByte('}')
}

func writeObject(b *bytes.Buffer, t reflect.Type, within []reflect.Type) {
	b.WriteString(`"type":"object"`)
	for _, other := range within {
		if other == t {
			return
		}
	}
	within = append(within, t)
	var required []string
	b.WriteString(`,"properties":{`)
	first := true
	eachField(t, func(name string, optional bool, field reflect.StructField) {
		if !first {
			b.WriteByte(',')
		}
		first = false
		writeJSON(b, name)
		b.WriteByte(':')
		writeSchema(b, field.Type, &field, within)
		if !optional {
			required = append(required, name)
		}
	})
	b.WriteByte('}')
	if len(required) > 0 {
		b.WriteString(`,"required":`)
		writeJSON(b, required)
	}
}

// eachField visits the fields that encoding/json knows, in order; those of embedded structs as their own.
func eachField(t reflect.Type, visit func(name string, optional bool, field reflect.StructField)) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, rest, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" && rest == "" {
			continue
		}
		if field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct {
			eachField(field.Type, visit)
			continue
		}
		if !field.IsExported() {
			continue
		}
		if name == "" {
			name = field.Name
		}
		_, fallback := field.Tag.Lookup("default")
		optional := fallback || field.Type.Kind() == reflect.Pointer
		for _, flag := range strings.Split(rest, ",") {
			optional = optional || flag == "omitempty" || flag == "omitzero"
		}
		visit(name, optional, field)
	}
}

func writeTags(b *bytes.Buffer, t reflect.Type, tag reflect.StructTag, least, most string) {
	member := func(name string, value any) {
		b.WriteString(`,"` + name + `":`)
		writeJSON(b, value)
	}
	for _, bound := range [][2]string{{"min", least}, {"max", most}} {
		// A number as it stands in the tag is a number in JSON.
		if text := tag.Get(bound[0]); text != "" {
			member(bound[1], json.Number(text))
		}
	}
	if text := tag.Get("enum"); text != "" {
		var values []any
		for _, value := range strings.Split(text, ",") {
			values = append(values, valueOf(t, value))
		}
		member("enum", values)
	}
	for _, key := range []string{"pattern", "format", "title"} {
		if text := tag.Get(key); text != "" {
			member(key, text)
		}
	}
	if text := tag.Get("doc"); text != "" {
		member("description", text)
	}
	if text, said := tag.Lookup("default"); said {
		member("default", valueOf(t, text))
	}
	if text := tag.Get("example"); text != "" {
		member("examples", []any{valueOf(t, text)})
	}
}

// valueOf is what a tag's text means for a type: itself for texts, else JSON.
func valueOf(t reflect.Type, text string) any {
	if t.Kind() == reflect.String || t == timeType {
		return text
	}
	if !json.Valid([]byte(text)) {
		panic(fmt.Sprintf("toolcell: the tag of a field of the type %s holds %q, which is no JSON", t, text))
	}
	return json.RawMessage(text)
}

func writeJSON(b *bytes.Buffer, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("toolcell: a tag cannot be written as JSON: %s", err))
	}
	b.Write(text)
}

// decode reads JSON into a struct whose fields have their defaults first.
func decode(text string, into any) error {
	if err := setDefaults(reflect.ValueOf(into).Elem()); err != nil {
		return err
	}
	err := json.Unmarshal([]byte(text), into)
	if wrong, ok := err.(*json.UnmarshalTypeError); ok && wrong.Field != "" {
		return fmt.Errorf("`%s` is %s; expected %s", wrong.Field, wrong.Value, wrong.Type)
	}
	return err
}

func setDefaults(v reflect.Value) error {
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if text, said := field.Tag.Lookup("default"); said && field.IsExported() {
			if v.Field(i).Kind() == reflect.String {
				v.Field(i).SetString(text)
			} else if err := json.Unmarshal([]byte(text), v.Field(i).Addr().Interface()); err != nil {
				return fmt.Errorf("the default of %s: %w", field.Name, err)
			}
		} else if v.Field(i).Kind() == reflect.Struct && field.IsExported() && field.Type != timeType {
			if err := setDefaults(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// decodeTexts reads the arguments of a prompt or the variables of a URI, which are texts, into what the fields want.
func decodeTexts(texts map[string]string, into any) error {
	v := reflect.ValueOf(into).Elem()
	if err := setDefaults(v); err != nil || v.Kind() != reflect.Struct {
		return err
	}
	var failed error
	eachField(v.Type(), func(name string, optional bool, field reflect.StructField) {
		text, given := texts[name]
		if failed != nil {
			return
		}
		if !given {
			if !optional {
				failed = fmt.Errorf("`%s` is missing", name)
			}
			return
		}
		target := v.FieldByName(field.Name)
		t := field.Type
		for t.Kind() == reflect.Pointer {
			target.Set(reflect.New(t.Elem()))
			target, t = target.Elem(), t.Elem()
		}
		value := []byte(text)
		if t.Kind() == reflect.String || t == timeType || t.Implements(textType) {
			value, _ = json.Marshal(text) // a text always can be
		}
		if err := json.Unmarshal(value, target.Addr().Interface()); err != nil {
			failed = fmt.Errorf("`%s` is `%s`; expected %s", name, text, t)
			return
		}
		if values := field.Tag.Get("enum"); values != "" && !strings.Contains(","+values+",", ","+text+",") {
			failed = fmt.Errorf("`%s` is `%s`; expected one of %s", name, text, strings.ReplaceAll(values, ",", ", "))
		}
	})
	return failed
}
