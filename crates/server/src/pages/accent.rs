//! Colours derived from a tenant's one accent colour, so that no choice of it makes a page unreadable.

use std::fmt::Write as _;

/// What does not depend on the tenant.
const COLOURS: &str = include_str!("../../assets/colours.css");

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// WCAG 2.2 criterion 1.4.3: text has a contrast of at least 4.5:1.
pub(crate) const READABLE: f64 = 4.5;

impl Colour {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);

    /// A colour of its three parts.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// Six lower-case hexadecimal digits.
    pub fn hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads exactly six lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let mut parts = [0; 3];
        hex::decode_to_slice(text, &mut parts).ok()?;
        Some(Self(parts))
    }

    /// Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance").
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio").
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour with `percent` of `other` in it.
    fn mixed(self, other: Self, percent: u32) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(other.0) {
            let sum = u32::from(*part) * (100 - percent) + u32::from(other) * percent;
            *part = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(parts)
    }

    /// The nearest mixture with `towards` that is readable on all of `surfaces`.
    fn readable_on(self, surfaces: &[Self], towards: Self) -> Self {
        (0..=100)
            .map(|percent| self.mixed(towards, percent))
            .find(|colour| surfaces.iter().all(|surface| colour.contrast(*surface) >= READABLE))
            .unwrap_or(towards)
    }
}

/// A tenant's accent colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(Colour);

impl Default for Accent {
    /// The red of sealing wax.
    fn default() -> Self {
        Self(Colour::new(0x8c, 0x1c, 0x2e))
    }
}

/// The backgrounds on which accent-coloured text stands: `--page`, `--surface` and `--flap` of the stylesheet.
pub(crate) const LIGHT: [Colour; 3] =
    [Colour::new(0xf6, 0xf3, 0xee), Colour::WHITE, Colour::new(0xfb, 0xf9, 0xf6)];
/// The same in dark surroundings.
pub(crate) const DARK: [Colour; 3] =
    [Colour::new(0x13, 0x11, 0x0f), Colour::new(0x1d, 0x1a, 0x17), Colour::new(0x23, 0x20, 0x1c)];

impl Accent {
    /// Reads `#rrggbb`, as branding has it.
    pub fn parse(text: &str) -> Option<Self> {
        Colour::from_hex(&text.strip_prefix('#')?.to_ascii_lowercase()).map(Self)
    }

    /// Reads `rrggbb`, as asset names have it.
    pub fn from_hex(text: &str) -> Option<Self> {
        Colour::from_hex(text).map(Self)
    }

    /// Six lower-case hexadecimal digits.
    pub fn hex(self) -> String {
        self.0.hex()
    }

    /// Text on the accent colour. White or black: one of them always has at least 4.58:1, since the product of the two
    /// contrasts is 21.
    pub fn text(self) -> Colour {
        if self.0.contrast(Colour::WHITE) >= READABLE { Colour::WHITE } else { Colour::BLACK }
    }

    /// The accent colour of a button under the pointer: away from its text, so that contrast only grows.
    pub fn hover(self) -> Colour {
        let away = if self.text() == Colour::WHITE { Colour::BLACK } else { Colour::WHITE };
        self.0.mixed(away, 18)
    }

    /// The accent as text on light backgrounds.
    pub fn ink_light(self) -> Colour {
        self.0.readable_on(&LIGHT, Colour::BLACK)
    }

    /// The accent as text on dark backgrounds.
    pub fn ink_dark(self) -> Colour {
        self.0.readable_on(&DARK, Colour::WHITE)
    }

    /// The stylesheet that carries the accent to the pages.
    pub fn stylesheet(self) -> String {
        let mut css = COLOURS.to_owned();
        let _ = write!(
            css,
            ":root{{--accent:#{};--accent-hover:#{};--accent-text:#{};--accent-ink:#{}}}\n\
             @media (prefers-color-scheme:dark){{:root{{--accent-ink:#{}}}}}\n",
            self.hex(),
            self.hover().hex(),
            self.text().hex(),
            self.ink_light().hex(),
            self.ink_dark().hex(),
        );
        css
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_derived_pair_is_readable_for_every_accent() {
        let steps = || (0..=255_u16).step_by(15).map(|part| u8::try_from(part).unwrap());
        let mut seen = 0;
        for red in steps() {
            for green in steps() {
                for blue in steps() {
                    let accent = Accent(Colour::new(red, green, blue));
                    let pairs = [
                        (accent.text(), vec![accent.0, accent.hover()]),
                        (accent.ink_light(), LIGHT.to_vec()),
                        (accent.ink_dark(), DARK.to_vec()),
                    ];
                    for (text, grounds) in pairs {
                        for ground in grounds {
                            let contrast = text.contrast(ground);
                            assert!(contrast >= READABLE, "{accent:?}: {text:?} on {ground:?} is {contrast}");
                            seen += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(seen, 18 * 18 * 18 * 8);
    }

    #[test]
    fn contrast_has_the_values_of_the_definition() {
        assert!((Colour::WHITE.contrast(Colour::BLACK) - 21.0).abs() < 1e-9);
        assert!((Colour::WHITE.contrast(Colour::WHITE) - 1.0).abs() < 1e-9);
        // #767676 is the lightest grey that is readable on white; #777777 is not.
        assert!(Colour::new(0x76, 0x76, 0x76).contrast(Colour::WHITE) >= READABLE);
        assert!(Colour::new(0x77, 0x77, 0x77).contrast(Colour::WHITE) < READABLE);
    }

    #[test]
    fn a_readable_accent_is_left_alone() {
        let accent = Accent::default();
        assert_eq!(accent.ink_light().hex(), accent.hex());
        assert_ne!(accent.ink_dark().hex(), accent.hex());
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        for text in
            ["", "fff", "8c1c2e0", "8c1c2", "8C1C2E", "#8c1c2", "gggggg", "8c1c2e}", "..%2f..", "８c1c2e"]
        {
            assert_eq!(Accent::from_hex(text), None, "{text}");
        }
        assert_eq!(Accent::from_hex("8c1c2e"), Some(Accent::default()));
        assert_eq!(Accent::parse("#8C1C2E"), Some(Accent::default()));
        assert_eq!(Accent::parse("8c1c2e"), None);
        assert_eq!(Accent::parse("#8c1c2e;}"), None);
    }
}
