//! Whose certificates are believed.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// TLS for hosts as they come, and for those that the operator named.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub(super) any: Arc<ClientConfig>,
    pub(super) listed: Arc<ClientConfig>,
}

impl Trust {
    /// Mozilla's roots, and those of the extra file. TLS 1.2 and 1.3; HTTP/1.1.
    pub(super) fn new(extra: &[CertificateDer<'static>]) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // A certificate that cannot be a root can still be met exactly.
        roots.add_parsable_certificates(extra.iter().cloned());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())
        };
        let by_roots =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(&provider))
                .build()
                .map_err(|error| error.to_string())?;
        let known = Known { by_roots, certificates: extra.to_vec(), provider: Arc::clone(&provider) };
        let mut any = builder()?.with_root_certificates(roots).with_no_client_auth();
        let mut listed =
            builder()?.dangerous().with_custom_certificate_verifier(Arc::new(known)).with_no_client_auth();
        for config in [&mut any, &mut listed] {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        Ok(Self { any: Arc::new(any), listed: Arc::new(listed) })
    }
}

/// The certificates of a PEM file; at least one.
pub(super) fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let pem = std::fs::read(file).map_err(|error| said(&error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| said(&error))?;
    if found.is_empty() { Err(said(&"there is no certificate in it")) } else { Ok(found) }
}

/// For named hosts: a certificate that is itself in the extra file is believed as it is. Test set-ups have self-signed
/// ones that a chain check refuses: marked as a CA, or without the host's name.
#[derive(Debug)]
struct Known {
    by_roots: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.certificates.iter().any(|known| known == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.by_roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
