/* URI templates (RFC 6570), read backwards: {id}, {+path}, {?lang,page}. */
#include "internal.h"

static int hex(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

static tc_str decoded(tc_call *c, tc_str text) {
    char *out = tc_alloc(c, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 && hex(text.ptr[i + 2]) >= 0) {
            out[len++] = (char)(hex(text.ptr[i + 1]) * 16 + hex(text.ptr[i + 2]));
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    out[len] = 0;
    return tc_bytes(out, len);
}

/* `?lang=de&page=2` for the names in `{?lang,page}`; a name that is not asked for is no match. */
static bool query(tc_call *c, tc_str names, tc_str text) {
    if (text.len == 0) return true;
    if (text.ptr[0] != '?') return false;
    for (size_t i = 1; i <= text.len;) {
        size_t end = i;
        while (end < text.len && text.ptr[end] != '&') end++;
        const char *equals = memchr(text.ptr + i, '=', end - i);
        size_t name_len = equals ? (size_t)(equals - text.ptr) - i : end - i;
        bool known = false;
        for (size_t n = 0; n < names.len && !known;) {
            size_t stop = n;
            while (stop < names.len && names.ptr[stop] != ',') stop++;
            known = tc_str_eq(tc_bytes(names.ptr + n, stop - n), tc_bytes(text.ptr + i, name_len));
            n = stop + 1;
        }
        if (!known) return false;
        if (c) {
            tc_str value = equals ? tc_bytes(equals + 1, end - i - name_len - 1) : tc_s("");
            tc_set_arg(c, tc_bytes(text.ptr + i, name_len), decoded(c, value));
        }
        i = end + 1;
    }
    return true;
}

static bool match(tc_call *c, const char *pattern, tc_str uri) {
    while (*pattern && *pattern != '{') {
        if (uri.len == 0 || uri.ptr[0] != *pattern) return false;
        pattern++, uri.ptr++, uri.len--;
    }
    if (!*pattern) return uri.len == 0;
    const char *close = strchr(pattern, '}');
    if (!close) return false;
    char operator = pattern[1];
    bool named = operator == '+' || operator == '?';
    tc_str name = tc_bytes(pattern + (named ? 2 : 1), (size_t)(close - pattern) - (named ? 2 : 1));
    if (operator == '?') return close[1] == 0 && query(c, name, uri);
    /* The longest value with which the rest fits too. A simple variable ends at a slash and is not empty; what follows a
     * question mark belongs to the query, if the template has one. */
    const char *ends = operator != '+' ? "/?#" : strstr(close, "{?") ? "?" : "";
    size_t most = 0;
    while (most < uri.len && (uri.ptr[most] == 0 || !strchr(ends, uri.ptr[most]))) most++;
    for (size_t len = most; len + 1 > (operator == '+' ? 0 : 1); len--) {
        if (match(NULL, close + 1, tc_bytes(uri.ptr + len, uri.len - len))) {
            if (c) {
                tc_set_arg(c, name, decoded(c, tc_bytes(uri.ptr, len)));
                match(c, close + 1, tc_bytes(uri.ptr + len, uri.len - len));
            }
            return true;
        }
    }
    return false;
}

bool tc_uri_match(tc_call *c, const char *pattern, tc_str uri) {
    if (!match(NULL, pattern, uri)) return false;
    if (c) match(c, pattern, uri);
    return true;
}
