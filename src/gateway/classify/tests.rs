use super::*;

fn error(status: u16, kind: ErrorKind) -> ApiError {
    ApiError { status, kind, code: None, message: String::new(), param: None }
}

#[test]
fn statuses_fall_into_the_table_s_rows() {
    for (status, class) in [
        (500, Class::ServerError),
        (502, Class::ServerError),
        (503, Class::ServerError),
        (504, Class::ServerError),
        (520, Class::ServerError),
        (524, Class::ServerError),
        (529, Class::ServerError),
        (408, Class::ServerError),
        (429, Class::RateLimit),
        (401, Class::Credential),
        (402, Class::Quota),
        (403, Class::Credential),
        (404, Class::NotFound),
        (400, Class::ClientError),
        (422, Class::ClientError),
        (413, Class::ClientError),
    ] {
        assert_eq!(of_error(&error(status, ErrorKind::from_status(status))), class, "{status}");
    }
    assert_eq!(of_error(&error(400, ErrorKind::ContextLength)), Class::ContextLength);
    assert_eq!(of_error(&error(429, ErrorKind::Quota)), Class::Quota);
    assert_eq!(of_error(&error(400, ErrorKind::ContentFilter)), Class::Refusal);
}

#[test]
fn a_200_that_is_no_answer_counts_as_502_unless_it_says_more() {
    assert_eq!(of_fault(&Fault::Empty), Class::BadReply);
    assert_eq!(of_fault(&Fault::Truncated), Class::Cut);
    assert_eq!(of_fault(&Fault::Error(error(200, ErrorKind::Server))), Class::BadReply);
    assert_eq!(of_fault(&Fault::Error(error(200, ErrorKind::RateLimit))), Class::RateLimit);
}

#[test]
fn the_same_provider_is_tried_again_only_where_that_can_help() {
    let policy = RetryPolicy::default();
    let act = |class, after, left| action(class, &policy, after, left);
    assert_eq!(act(Class::Connect, None, true), Action::Same(Pause::None));
    assert_eq!(act(Class::Reset, None, true), Action::Same(Pause::Backoff));
    assert_eq!(act(Class::Reset, None, false), Action::Next);
    assert_eq!(act(Class::Silence, None, true), Action::Next);
    assert_eq!(act(Class::ServerError, None, true), Action::Same(Pause::Backoff));
    assert_eq!(act(Class::ServerError, Some(5_000), true), Action::Same(Pause::RetryAfter(5_000)));
    assert_eq!(act(Class::ServerError, Some(5_001), true), Action::Next);
    assert_eq!(act(Class::RateLimit, None, true), Action::Next);
    assert_eq!(act(Class::RateLimit, Some(1_000), true), Action::Same(Pause::RetryAfter(1_000)));
    assert_eq!(act(Class::RateLimit, Some(1_000), false), Action::Next);
    assert_eq!(act(Class::RateLimit, Some(60_000), true), Action::Next);
    for class in [Class::Quota, Class::Credential, Class::NotFound] {
        assert_eq!(act(class, None, true), Action::Next);
    }
    assert_eq!(act(Class::ContextLength, None, true), Action::NextLarger);
    assert_eq!(act(Class::Refusal, None, true), Action::Stop);
    assert_eq!(act(Class::ClientError, None, true), Action::Stop);
    let willing = RetryPolicy { refusal: RefusalPolicy::Next, ..RetryPolicy::default() };
    assert_eq!(action(Class::Refusal, &willing, None, true), Action::Next);
}

#[test]
fn retry_after_is_read_in_every_form() {
    let read = |name: &str, value: &str| {
        retry_after_ms(&[(name.to_owned(), value.as_bytes().to_vec())], 784_111_770)
    };
    assert_eq!(read("retry-after", "2"), Some(2_000));
    assert_eq!(read("retry-after", "0.5"), Some(1_000));
    assert_eq!(read("retry-after-ms", "350"), Some(350));
    assert_eq!(read("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(7_000));
    assert_eq!(read("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"), Some(0));
    for bad in ["", "soon", "-1", "99999999999999999999", "Sun, 31 Foo 1994 08:49:37 GMT"] {
        assert_eq!(read("retry-after", bad), None, "{bad}");
    }
}
