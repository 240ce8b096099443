//! The filter that enters every callback and does nothing.
//!
//! It is the floor under any wasm filter: what Sluice costs beyond it is Sluice's own. It runs where Sluice's ingress
//! runs; Sluice's second position has no counterpart here.

#[cfg(target_arch = "wasm32")]
mod filter {
    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{Action, ContextType, LogLevel};

    struct Root;
    struct Stream;

    impl Context for Root {}

    impl RootContext for Root {
        fn get_type(&self) -> Option<ContextType> {
            Some(ContextType::HttpContext)
        }

        fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Stream))
        }
    }

    impl Context for Stream {
        fn on_done(&mut self) -> bool {
            true
        }
    }

    impl HttpContext for Stream {
        fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
            Action::Continue
        }

        fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
            Action::Continue
        }

        fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
            Action::Continue
        }

        fn on_http_response_body(&mut self, _: usize, _: bool) -> Action {
            Action::Continue
        }

        fn on_log(&mut self) {}
    }

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Warn);
        proxy_wasm::set_root_context(|_| Box::new(Root));
    }}
}
