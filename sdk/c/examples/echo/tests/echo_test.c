#include <toolcell_test.h>

int main(void) {
    tct_is(tct_call("echo", "{\"message\":\"hi \\ud83c\\udf89\"}").text, "hi 🎉");
    tct_is(tct_call("echo", "{\"message\":\"\"}").text, "");
    return tct_end();
}
