//! Exports whose tools would have the same name, or an odd one.

use crate::exports::other::place2_1_0::files::Guest as Second;
use crate::exports::other::place3_0_0::files::Guest as Third;
use crate::exports::test::names::files::Guest as Own;

wit_bindgen::generate!({ path: "names/wit", generate_all });

struct Names;

impl Own for Names {
    fn read() -> String {
        "own".to_owned()
    }
}

impl Second for Names {
    fn read() -> String {
        "2.1.0".to_owned()
    }
}

impl Third for Names {
    fn read() -> String {
        "3.0.0".to_owned()
    }
}

impl Guest for Names {
    fn a() -> String {
        "a".to_owned()
    }

    fn x_9_y() -> String {
        "x-9-y".to_owned()
    }

    fn http_get(url: String) -> String {
        url
    }

    fn a_name_that_is_so_long_that_clients_which_cut_names_at_sixty_four_characters_would_not_tell_it_from_others()
    -> String {
        "long".to_owned()
    }
}

export!(Names);
