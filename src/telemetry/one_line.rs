//! Lines for eyes that stay one line each: what somebody else has said cannot begin another.
//!
//! In JSON that is so anyway. In text the message stands as it is, and may quote the vendor.

use std::fmt;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{self, Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The library's own form, and then no control character in it but the last and the colours.
pub(super) struct OneLine {
    form: Format<Full>,
    colours: bool,
}

/// Time, level, message and fields.
pub(super) fn one_line(colours: bool) -> OneLine {
    OneLine { form: format::format().with_target(false).with_ansi(colours), colours }
}

impl<S, N> FormatEvent<S, N> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.form.format_event(context, Writer::new(&mut line), event)?;
        for c in line.trim_end_matches('\n').chars() {
            // Those of others have been escaped by the library where there are colours.
            let colour = self.colours && c == '\x1b';
            if (c.is_control() && !colour) || matches!(c, '\u{2028}' | '\u{2029}') {
                write!(writer, "{}", c.escape_default())?;
            } else {
                writer.write_char(c)?;
            }
        }
        writer.write_char('\n')
    }
}
