//! The codes of `wasi:http` as errors a model can read.

use super::Error;
use wasip2::http::types::ErrorCode;

/// What the host says. Codes that carry nothing are described once, here; text of the host's own is passed on as it is.
pub fn error(code: ErrorCode) -> Error {
    match code {
        ErrorCode::InternalError(Some(text)) => Error::Host(text),
        ErrorCode::HttpRequestDenied => {
            denied("it is not granted; the plugin's log has the reason and the line to add")
        }
        ErrorCode::DestinationIpProhibited => denied("the address is not granted; the plugin's log has the reason"),
        ErrorCode::ConnectionLimitReached => denied("too many requests at once"),
        ErrorCode::HttpRequestBodySize(limit) => denied(&too_large("the request body", limit)),
        ErrorCode::HttpRequestHeaderSectionSize(limit) => {
            denied(&too_large("the request's header section", limit.map(u64::from)))
        }
        ErrorCode::HttpRequestHeaderSize(Some(field)) => {
            denied(&too_large(&field_name("the header", field.field_name), field.field_size.map(u64::from)))
        }
        ErrorCode::HttpRequestHeaderSize(None) => denied("a header is too large"),
        ErrorCode::HttpRequestUriTooLong => denied("the URL is too long"),
        ErrorCode::DnsTimeout => timeout("the name could not be resolved"),
        ErrorCode::ConnectionTimeout => timeout("no connection could be made"),
        ErrorCode::ConnectionReadTimeout => timeout("the server sent nothing more"),
        ErrorCode::ConnectionWriteTimeout => timeout("the server took nothing more"),
        ErrorCode::HttpResponseTimeout => timeout("the server did not answer"),
        ErrorCode::DnsError(error) => match error.rcode {
            Some(code) => failed(&format!("the name could not be resolved ({code})")),
            None => failed("the name could not be resolved"),
        },
        ErrorCode::DestinationNotFound => failed("there is no such host"),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => failed("the host cannot be reached"),
        ErrorCode::ConnectionRefused => failed("nobody listens at that port"),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => failed("the connection broke off"),
        ErrorCode::TlsCertificateError => failed("the server's certificate is not valid"),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => failed("no encrypted connection could be made"),
        ErrorCode::HttpResponseBodySize(limit) => failed(&too_large("the response body", limit)),
        ErrorCode::HttpResponseHeaderSectionSize(limit) => {
            failed(&too_large("the response's header section", limit.map(u64::from)))
        }
        ErrorCode::HttpProtocolError => failed("the server does not speak HTTP"),
        ErrorCode::InternalError(None) => failed("the host did not say why"),
        // Codes that hosts send rarely speak for themselves: `ErrorCode::LoopDetected`.
        other => failed(format!("{other:?}").trim_start_matches("ErrorCode::")),
    }
}

fn denied(why: &str) -> Error {
    Error::Denied(why.to_owned())
}

fn timeout(what: &str) -> Error {
    Error::Timeout(what.to_owned())
}

fn failed(why: &str) -> Error {
    Error::Failed(why.to_owned())
}

fn too_large(what: &str, size: Option<u64>) -> String {
    match size {
        Some(size) => format!("{what} is too large ({size} bytes)"),
        None => format!("{what} is too large"),
    }
}

fn field_name(what: &str, name: Option<String>) -> String {
    match name {
        Some(name) => format!("{what} `{name}`"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasip2::http::types::{DnsErrorPayload, FieldSizePayload};

    #[test]
    fn words_of_the_host_are_passed_on_unchanged() {
        let text = "fetch may not ask for http://10.0.0.1/: add `addresses = [\"10.0.0.1/32\"]`";
        let code = ErrorCode::InternalError(Some(text.to_owned()));
        assert_eq!(error(code).to_string(), text);
    }

    #[test]
    fn every_code_has_words() {
        let field = FieldSizePayload { field_name: Some("x".to_owned()), field_size: Some(9) };
        let cases = [
            (ErrorCode::HttpRequestDenied, "the host refused the request: it is not granted"),
            (ErrorCode::DestinationIpProhibited, "the host refused the request: the address"),
            (ErrorCode::ConnectionLimitReached, "too many requests at once"),
            (ErrorCode::HttpRequestBodySize(Some(5)), "the request body is too large (5 bytes)"),
            (ErrorCode::HttpRequestHeaderSize(Some(field)), "the header `x` is too large (9 bytes)"),
            (ErrorCode::DnsTimeout, "time is up: the name"),
            (ErrorCode::HttpResponseTimeout, "time is up: the server did not answer"),
            (
                ErrorCode::DnsError(DnsErrorPayload { rcode: Some("NXDOMAIN".to_owned()), info_code: None }),
                "could not be resolved (NXDOMAIN)",
            ),
            (ErrorCode::ConnectionRefused, "nobody listens"),
            (ErrorCode::TlsCertificateError, "certificate is not valid"),
            (ErrorCode::HttpResponseBodySize(None), "the response body is too large"),
            (ErrorCode::InternalError(None), "did not say why"),
            (ErrorCode::LoopDetected, "the request failed: LoopDetected"),
        ];
        for (code, expected) in cases {
            let text = error(code).to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
