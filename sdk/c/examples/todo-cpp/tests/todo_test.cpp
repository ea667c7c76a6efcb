#include <toolcell_test.h>

static void items_are_added_listed_and_completed(void) {
    tct_reset();
    tct_is(tct_call("list", "{}").text, "Nothing to do.");
    tct_is(tct_call("list", "{}").json, "{\"items\":[],\"open\":0,\"done\":0}");
    tct_result added = tct_call("add", "{\"title\":\"Buy milk\"}");
    tct_is(added.text, "Added 1: Buy milk");
    tct_is(added.json, "{\"id\":1,\"title\":\"Buy milk\",\"done\":false}");
    tct_is(tct_stored("item/0000000001"), added.json);
    tct_conflicts(2);
    tct_is(tct_call("add", "{\"title\":\"Sleep\"}").text, "Added 2: Sleep");
    tct_is(tct_call("complete", "{\"id\":1}").text, "Done 1: Buy milk");
    tct_is(tct_call("list", "{}").text, "[ ] 2: Sleep");
    tct_is(tct_call("list", "{\"state\":\"done\"}").text, "[x] 1: Buy milk");
    tct_is(tct_call("list", "{\"state\":\"all\"}").text, "[x] 1: Buy milk\n[ ] 2: Sleep");
    tct_result unknown = tct_call("complete", "{\"id\":7}");
    tct_true(unknown.is_error);
    tct_is(unknown.text, "there is no item 7; call list to see what there is");
}

static void nothing_is_removed_unless_the_person_says_so(void) {
    tct_reset();
    tct_is(tct_call("clear", "{}").text, "Nothing to remove.");
    for (int i = 1; i <= 2; i++) tct_call("add", "{\"title\":\"a\"}");
    tct_call("complete", "{\"id\":1}");
    tct_call("complete", "{\"id\":2}");
    tct_result open = tct_call("clear", "{}");
    tct_true(open.open);
    tct_is(open.asked, "Remove 2 items that are done?");
    tct_decline("confirm");
    tct_is(tct_call("clear", "{}").text, "Nothing was removed.");
    tct_accept("confirm", "{\"remove\":true}");
    tct_result removed = tct_call("clear", "{}");
    tct_is(removed.text, "Removed 2 items.");
    tct_is(removed.json, "{\"removed\":2}");
    tct_is(tct_heard(), "progress 1/2 Removed 1: a\nprogress 2/2 Removed 2: a");
    tct_true(tct_stored_count() == 1);
}

static void lists_are_imported(void) {
    tct_reset();
    tct_web("http://web/list", 200, "[\"a\",\"b\"]");
    tct_web("http://web/gone", 404, "");
    tct_web("http://web/other", 200, "{\"a\":1}");
    tct_web("http://web/empty-title", 200, "[\"\"]");
    tct_web("http://web/refused", 0, "not granted: add the host");
    tct_result added = tct_call("import", "{\"url\":\"http://web/list\"}");
    tct_is(added.text, "Added 2 items.");
    tct_is(added.json, "{\"added\":2}");
    tct_is(tct_heard(), "progress 1/2 Added 1: a\nprogress 2/2 Added 2: b\nlog todo {\"imported\":2,\"url\":\"http://web/list\"}");
    tct_holds(tct_call("import", "{\"url\":\"http://web/gone\"}").text, "answered 404");
    tct_holds(tct_call("import", "{\"url\":\"http://web/other\"}").text, "is no JSON array of titles");
    tct_holds(tct_call("import", "{\"url\":\"http://web/empty-title\"}").text, "is no JSON array of titles");
    tct_holds(tct_call("import", "{\"url\":\"http://web/refused\"}").text, "not granted: add the host");
}

int main(void) {
    items_are_added_listed_and_completed();
    nothing_is_removed_unless_the_person_says_so();
    lists_are_imported();
    return tct_end();
}
