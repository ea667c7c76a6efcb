/* Plays the host in a plugin's unit tests, on the machine itself. Compile the test with the plugin and `testing/` and `src/` of
 * this SDK (`make test` in a new project shows how):
 *
 *     #include <toolcell_test.h>
 *
 *     int main(void) {
 *         tct_result r = tct_call("add", "{\"title\":\"Buy milk\"}");
 *         tct_is(r.text, "Added 1: Buy milk");
 *         return tct_end();
 *     }
 */
#ifndef TOOLCELL_TEST_H
#define TOOLCELL_TEST_H

#include "toolcell.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a call ended. All of it lives until the program ends. */
typedef struct tct_result {
    const char *text;        /* the texts of the content, a line each */
    const char *json;        /* the structured result; empty if there is none */
    bool is_error;
    tc_error_kind error;     /* of the call itself; `text` says which */
    const char *asked;       /* what the person was asked last; empty if nothing */
    bool open;               /* a question had no answer: the call waits for it */
} tct_result;

/* Forgets what was stored, answered, reported and logged. */
void tct_reset(void);
/* Calls a tool, with answers to what it asks. `arguments` is JSON. */
tct_result tct_call(const char *tool, const char *arguments);
/* The contents of a resource; `json` is unused. */
tct_result tct_read(const char *uri);
/* The messages of a prompt; `arguments` is a JSON object of texts. */
tct_result tct_prompt(const char *name, const char *arguments);
/* Suggestions, a line each. */
tct_result tct_complete(const char *prompt, const char *argument, const char *typed);
/* The schema of a tool's arguments, or of its result. */
const char *tct_input_schema(const char *tool);
const char *tct_output_schema(const char *tool);

/* Answers the question of this key: accepted with a JSON value, or with none of it. */
void tct_accept(const char *key, const char *json);
void tct_decline(const char *key);
/* What the web answers to a URL; a status of 0 is a refusal of the host, with `body` as its reason. */
void tct_web(const char *url, int status, const char *body);
/* What the store holds; NULL if the key is not there. The tests' store answers keys in pages of two. */
const char *tct_stored(const char *key);
/* How many keys it holds. */
size_t tct_stored_count(void);
/* The first `conflicts` swaps meet another value, as if another call had been faster. */
void tct_conflicts(int conflicts);
/* Everything reported, logged or said to have changed, a line each: `progress 1/3 Removed 1: a`, `log todo {"a":1}`. */
const char *tct_heard(void);

/* Checks: what fails is printed, with its line. tct_end says how it went, as the program's exit code. */
#define tct_is(found, expected) tct_check_is(found, expected, __FILE__, __LINE__)
#define tct_holds(found, part) tct_check_holds(found, part, __FILE__, __LINE__)
#define tct_true(condition) tct_check_true(condition, #condition, __FILE__, __LINE__)
void tct_check_is(const char *found, const char *expected, const char *file, int line);
void tct_check_holds(const char *found, const char *part, const char *file, int line);
void tct_check_true(bool condition, const char *text, const char *file, int line);
int tct_end(void);

#ifdef __cplusplus
}
#endif
#endif
