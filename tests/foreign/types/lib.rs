//! Every WIT type in parameters and results: what comes in goes out.

use crate::exports::test::types::outcomes::{Guest as Outcomes, Problem, Refusal};
use crate::exports::test::types::same::{Color, Drawing, Guest as Same, Point, Rights, Shape};

wit_bindgen::generate!({ path: "types/wit" });

struct Types;

/// Functions that give back what they were given.
macro_rules! same {
    ($($name:ident($kind:ty);)*) => {
        impl Same for Types {
            $(fn $name(value: $kind) -> $kind { value })*
        }
    };
}

same! {
    a_bool(bool);
    a_u8(u8);
    a_s8(i8);
    a_u16(u16);
    a_s16(i16);
    a_u32(u32);
    a_s32(i32);
    a_u64(u64);
    a_s64(i64);
    a_f32(f32);
    a_f64(f64);
    a_char(char);
    a_string(String);
    a_list(Vec<String>);
    some_bytes(Vec<u8>);
    a_table(Vec<Vec<f64>>);
    an_option(Option<String>);
    a_tuple((u8, String, bool));
    a_record(Point);
    a_variant(Shape);
    an_enum(Color);
    some_flags(Rights);
    an_outcome(Result<u8, String>);
    a_drawing(Drawing);
    drawings(Vec<(String, Drawing)>);
}

impl Outcomes for Types {
    fn nothing() {}

    fn halve(number: u32) -> Result<u32, String> {
        if number.is_multiple_of(2) { Ok(number / 2) } else { Err(format!("{number} is odd; pass an even number")) }
    }

    fn with_record(fail: bool) -> Result<String, Problem> {
        if fail { Err(Problem { code: 409, hint: Some("pass fail=false".to_owned()) }) } else { Ok("fine".to_owned()) }
    }

    fn with_variant(code: u16) -> Result<(), Refusal> {
        match code {
            0 => Ok(()),
            1 => Err(Refusal::Busy),
            code => Err(Refusal::Wrong(Problem { code, hint: None })),
        }
    }

    fn bare(fail: bool) -> Result<(), ()> {
        if fail { Err(()) } else { Ok(()) }
    }

    fn strange_float(infinite: bool) -> f64 {
        if infinite { f64::INFINITY } else { f64::NAN }
    }

    fn many(
        a: u8,
        b: Option<u8>,
        c: String,
        d: Option<String>,
        e: bool,
        f: Vec<u8>,
        g: char,
        h: i64,
        type_: String,
        record: Option<u32>,
        kebab_case_name: u8,
        x1: u8,
    ) -> String {
        format!("{a} {b:?} {c} {d:?} {e} {f:?} {g} {h} {type_} {record:?} {kebab_case_name} {x1}")
    }

    fn give_up() {
        panic!("the component gave up");
    }

    fn repeat(times: u32) -> String {
        "a".repeat(times as usize)
    }

    fn count(value: Vec<Vec<u8>>) -> u64 {
        value.len() as u64
    }
}

export!(Types);
