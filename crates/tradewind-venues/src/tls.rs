//! The one TLS configuration, for REST and WebSocket alike: built-in roots, so it works on hosts without a CA store.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// A CA file that is no use.
#[derive(Debug, thiserror::Error)]
#[error("CA file: {0}")]
pub struct TlsError(String);

/// Builds the configuration; `extra_roots` are PEM certificates to trust besides the built-in ones.
///
/// # Errors
/// [`TlsError`] if a certificate cannot be read, or if there is none.
pub fn client_config(extra_roots: Option<&[u8]>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in extra_roots
        .into_iter()
        .flat_map(CertificateDer::pem_slice_iter)
    {
        let certificate = certificate.map_err(|error| TlsError(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| TlsError(error.to_string()))?;
    }
    if extra_roots.is_some() && roots.len() == webpki_roots::TLS_SERVER_ROOTS.len() {
        return Err(TlsError("it holds no certificate".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roots_suffice_and_nonsense_is_refused() {
        assert!(client_config(None).is_ok());
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(client_config(Some(broken)).is_err());
        assert!(client_config(Some(b"")).is_err());
    }
}
