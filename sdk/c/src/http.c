/* HTTP over wasi:http. The host resolves names, checks the grant, and speaks TLS. */
#include "internal.h"
#include "../bindings/guest.h"

enum { CHUNK = 64 * 1024, MOST = 4 * 1024 * 1024 };

static const char *const CODES[] = {
    "the DNS did not answer in time", "the DNS knows no such host", "there is no such destination",
    "the destination is not available", "the destination's address is not allowed", "the destination cannot be reached",
    "the connection was refused", "the connection was cut", "no connection in time", "nothing came in time",
    "nothing could be sent in time", "too many connections", "TLS failed", "the TLS certificate is not valid",
    "the other side ended TLS", "the request was denied", "the request needs a length", "the request is too large",
    "the method is not valid", "the URL is not valid", "the URL is too long", "the request's headers are too large",
    "a header of the request is too large", "the request's trailers are too large", "a trailer of the request is too large",
    "the response is not complete", "the response's headers are too large", "a header of the response is too large",
    "the response is too large", "the response's trailers are too large", "a trailer of the response is too large",
    "the response's transfer coding is not valid", "the response's content coding is not valid", "no response in time",
    "the upgrade failed", "the other side does not speak HTTP", "the request went round in a circle",
    "the host is not set up for it", "the host failed",
};

static tc_status failed(tc_call *c, wasi_http_types_error_code_t *code) {
    tc_status status = TC_BROKEN;
    switch (code->tag) {
        case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
        case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED: status = TC_REFUSED; break;
        case WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR:
            /* The host says here why, and which line would grant it. */
            if (code->val.internal_error.is_some) {
                guest_string_t *text = &code->val.internal_error.val;
                tc_because(c, TC_REFUSED, tc_bytes(text->ptr, text->len));
                wasi_http_types_error_code_free(code);
                return TC_REFUSED;
            }
            break;
        default: break;
    }
    tc_because(c, status, tc_s(code->tag < sizeof CODES / sizeof *CODES ? CODES[code->tag] : "the exchange failed"));
    wasi_http_types_error_code_free(code);
    return status;
}

/* When everything has to be over. */
typedef struct {
    bool some;
    uint64_t at;
} deadline;

static bool over(deadline end) { return end.some && wasi_clocks_monotonic_clock_now() >= end.at; }

/* Waits for what is ready, but not longer than the deadline; takes the pollable. */
static void wait_for(wasi_io_poll_own_pollable_t ready, deadline end) {
    wasi_io_poll_borrow_pollable_t all[2] = { wasi_io_poll_borrow_pollable(ready) };
    wasi_io_poll_list_borrow_pollable_t list = { all, 1 };
    wasi_io_poll_own_pollable_t bell = { 0 };
    if (end.some) {
        bell = wasi_clocks_monotonic_clock_subscribe_instant(end.at);
        all[list.len++] = wasi_io_poll_borrow_pollable(bell);
    }
    guest_list_u32_t which;
    wasi_io_poll_poll(&list, &which);
    guest_list_u32_free(&which);
    if (end.some) wasi_io_poll_pollable_drop_own(bell);
    wasi_io_poll_pollable_drop_own(ready);
}

static tc_status too_late(tc_call *c) { return tc_because(c, TC_LIMIT, tc_s("the exchange took too long")); }

static bool starts_with(const char **text, const char *start) {
    size_t len = strlen(start);
    if (strncmp(*text, start, len) != 0) return false;
    *text += len;
    return true;
}

static guest_string_t lend(tc_str text) {
    guest_string_t s = { (uint8_t *)text.ptr, text.len };
    return s;
}

static wasi_http_types_method_t method_of(const char *name) {
    static const char *const KNOWN[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH" };
    wasi_http_types_method_t method = { 0 };
    for (uint8_t i = 0; name && i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(name, KNOWN[i]) == 0) return method.tag = i, method;
    }
    if (name) method.tag = WASI_HTTP_TYPES_METHOD_OTHER, method.val.other = lend(tc_s(name));
    return method;
}

/* The request without its body; the handle is 0 if it cannot be made. */
static wasi_http_types_own_outgoing_request_t head(tc_call *c, const tc_http_request *request) {
    const wasi_http_types_own_outgoing_request_t none = { 0 };
    wasi_http_types_scheme_t scheme = { 0 };
    const char *rest = request->url;
    if (starts_with(&rest, "https://")) scheme.tag = WASI_HTTP_TYPES_SCHEME_HTTPS;
    else if (starts_with(&rest, "http://")) scheme.tag = WASI_HTTP_TYPES_SCHEME_HTTP;
    else return tc_because(c, TC_INVALID, tc_format(c, "`%s` is no http: or https: URL", request->url)), none;
    size_t len = strcspn(rest, "/?#");
    tc_str authority = tc_bytes(rest, len), path = tc_bytes(rest + len, strcspn(rest + len, "#"));
    if (path.len == 0 || path.ptr[0] == '?') path = tc_format(c, "/%.*s", (int)path.len, path.ptr);

    wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
    wasi_http_types_borrow_fields_t headers = wasi_http_types_borrow_fields(fields);
    wasi_http_types_header_error_t wrong;
    for (size_t i = 0; i < request->header_count; i++) {
        const tc_header *header = &request->headers[i];
        guest_string_t name = lend(header->name);
        wasi_http_types_field_value_t value = { (uint8_t *)header->value.ptr, header->value.len };
        if (!wasi_http_types_method_fields_append(headers, &name, &value, &wrong)) {
            wasi_http_types_fields_drop_own(fields);
            return tc_because(c, TC_INVALID, tc_format(c, "the header `%.*s` cannot be sent", (int)name.len, name.ptr)), none;
        }
    }
    if (request->body.len) {
        guest_string_t name = lend(tc_s("content-length"));
        tc_str number = tc_format(c, "%zu", request->body.len);
        wasi_http_types_field_value_t value = { (uint8_t *)number.ptr, number.len };
        /* A host that sees to it itself refuses this header, which is as good. */
        (void)wasi_http_types_method_fields_append(headers, &name, &value, &wrong);
    }
    wasi_http_types_own_outgoing_request_t outgoing = wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t self = wasi_http_types_borrow_outgoing_request(outgoing);
    wasi_http_types_method_t method = method_of(request->method);
    guest_string_t to = lend(authority), where = lend(path);
    if (!wasi_http_types_method_outgoing_request_set_method(self, &method) ||
        !wasi_http_types_method_outgoing_request_set_scheme(self, &scheme) ||
        !wasi_http_types_method_outgoing_request_set_authority(self, &to) ||
        !wasi_http_types_method_outgoing_request_set_path_with_query(self, &where)) {
        wasi_http_types_outgoing_request_drop_own(outgoing);
        return tc_because(c, TC_INVALID, tc_format(c, "`%s` is no URL that can be asked for", request->url)), none;
    }
    return outgoing;
}

/* A server may answer before it has read everything: a body that nobody takes is no failure, the response tells. */
static void send_body(wasi_http_types_own_outgoing_body_t body, tc_str bytes, deadline end) {
    wasi_http_types_own_output_stream_t stream;
    if (!wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream)) return;
    wasi_io_streams_borrow_output_stream_t self = wasi_io_streams_borrow_output_stream(stream);
    wasi_io_streams_stream_error_t error;
    bool taken = true;
    while (bytes.len && taken && !over(end)) {
        uint64_t room = 0;
        taken = wasi_io_streams_method_output_stream_check_write(self, &room, &error);
        if (!taken) break;
        if (room == 0) {
            wait_for(wasi_io_streams_method_output_stream_subscribe(self), end);
            continue;
        }
        guest_list_u8_t now = { (uint8_t *)bytes.ptr, bytes.len < room ? bytes.len : (size_t)room };
        taken = wasi_io_streams_method_output_stream_write(self, &now, &error);
        bytes.ptr += now.len, bytes.len -= now.len;
    }
    if (taken) taken = wasi_io_streams_method_output_stream_flush(self, &error);
    if (!taken) wasi_io_streams_stream_error_free(&error);
    wasi_io_streams_output_stream_drop_own(stream);
    wasi_http_types_error_code_t code;
    if (!taken || bytes.len) wasi_http_types_outgoing_body_drop_own(body);
    else if (!wasi_http_types_static_outgoing_body_finish(body, NULL, &code)) wasi_http_types_error_code_free(&code);
}

static tc_status read_body(tc_call *c, wasi_http_types_own_input_stream_t stream, size_t most, deadline end, tc_str *body) {
    wasi_io_streams_borrow_input_stream_t self = wasi_io_streams_borrow_input_stream(stream);
    char *bytes = NULL;
    size_t len = 0, room = 0;
    for (;;) {
        if (over(end)) return too_late(c);
        guest_list_u8_t chunk;
        wasi_io_streams_stream_error_t error;
        if (!wasi_io_streams_method_input_stream_read(self, CHUNK, &chunk, &error)) {
            if (error.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED) break;
            wasi_http_types_error_code_t code;
            bool known = wasi_http_types_http_error_code(wasi_io_error_borrow_error(error.val.last_operation_failed), &code);
            wasi_io_streams_stream_error_free(&error);
            return known ? failed(c, &code) : tc_because(c, TC_BROKEN, tc_s("the response broke off"));
        }
        if (chunk.len == 0) wait_for(wasi_io_streams_method_input_stream_subscribe(self), end);
        bool fits = len + chunk.len <= most;
        if (fits && chunk.len) {
            if (len + chunk.len + 1 > room) {
                room = (len + chunk.len + 1) * 2;
                char *larger = tc_alloc(c, room);
                if (len) memcpy(larger, bytes, len);
                bytes = larger;
            }
            memcpy(bytes + len, chunk.ptr, chunk.len);
            len += chunk.len;
        }
        guest_list_u8_free(&chunk);
        if (!fits) return tc_because(c, TC_LIMIT, tc_format(c, "the response has more than %zu bytes", most));
    }
    if (bytes) bytes[len] = 0;
    *body = tc_bytes(bytes ? bytes : "", len);
    return TC_OK;
}

static void take_headers(tc_call *c, wasi_http_types_own_headers_t from, tc_http_response *response) {
    wasi_http_types_list_tuple2_field_name_field_value_t all;
    wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields(from), &all);
    response->header_count = all.len;
    response->headers = tc_alloc(c, all.len * sizeof *response->headers);
    for (size_t i = 0; i < all.len; i++) {
        response->headers[i].name = tc_copy(c, tc_bytes(all.ptr[i].f0.ptr, all.ptr[i].f0.len));
        response->headers[i].value = tc_copy(c, tc_bytes(all.ptr[i].f1.ptr, all.ptr[i].f1.len));
    }
    wasi_http_types_list_tuple2_field_name_field_value_free(&all);
    wasi_http_types_fields_drop_own(from);
}

static tc_status take_response(tc_call *c, wasi_http_types_own_incoming_response_t incoming, size_t most, deadline end,
                               tc_http_response *response) {
    wasi_http_types_borrow_incoming_response_t self = wasi_http_types_borrow_incoming_response(incoming);
    response->status = wasi_http_types_method_incoming_response_status(self);
    take_headers(c, wasi_http_types_method_incoming_response_headers(self), response);
    tc_status status = tc_because(c, TC_BROKEN, tc_s("the host gave the response away twice"));
    wasi_http_types_own_incoming_body_t body;
    if (wasi_http_types_method_incoming_response_consume(self, &body)) {
        wasi_http_types_own_input_stream_t stream;
        if (wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body), &stream)) {
            status = read_body(c, stream, most, end, &response->body);
            wasi_io_streams_input_stream_drop_own(stream);
        }
        wasi_http_types_incoming_body_drop_own(body);
    }
    wasi_http_types_incoming_response_drop_own(incoming);
    return status;
}

tc_status tc_http(tc_call *c, const tc_http_request *request, tc_http_response *response) {
    memset(response, 0, sizeof *response);
    response->body = tc_s("");
    deadline end = { request->timeout_ms != 0, 0 };
    if (end.some) end.at = wasi_clocks_monotonic_clock_now() + request->timeout_ms * 1000000;
    wasi_http_types_own_outgoing_request_t outgoing = head(c, request);
    if (outgoing.__handle == 0) return TC_INVALID;
    /* The body is taken before the request is given away, and written after: nobody reads it earlier. A request whose body was
     * never taken has none, and says so to the server. */
    wasi_http_types_own_outgoing_body_t body = { 0 };
    if (request->body.len &&
        !wasi_http_types_method_outgoing_request_body(wasi_http_types_borrow_outgoing_request(outgoing), &body)) {
        return tc_because(c, TC_BROKEN, tc_s("the host gave the request's body away twice"));
    }
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_error_code_t code;
    if (!wasi_http_outgoing_handler_handle(outgoing, NULL, &future, &code)) return failed(c, &code);
    if (request->body.len) send_body(body, request->body, end);

    wasi_http_types_borrow_future_incoming_response_t self = wasi_http_types_borrow_future_incoming_response(future);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t got;
    while (!wasi_http_types_method_future_incoming_response_get(self, &got)) {
        if (over(end)) {
            wasi_http_types_future_incoming_response_drop_own(future);
            return too_late(c);
        }
        wait_for(wasi_http_types_method_future_incoming_response_subscribe(self), end);
    }
    tc_status status;
    if (got.is_err) status = tc_because(c, TC_BROKEN, tc_s("the host gave the response away twice"));
    else if (got.val.ok.is_err) status = failed(c, &got.val.ok.val.err);
    else status = take_response(c, got.val.ok.val.ok, request->most ? request->most : MOST, end, response);
    wasi_http_types_future_incoming_response_drop_own(future);
    return status;
}
