#include <toolcell_test.h>

int main(void) {
    tct_is(tct_call("greet", "{\"name\":\"Ada\"}").text, "Hello, Ada!");
    return tct_end();
}
