//! Authorities and certificates, made by OpenSSL as an operator makes them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::site::Site;

/// An authority that signs certificates, in files of a site.
pub struct Authority {
    folder: PathBuf,
    name: String,
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate in PEM.
    pub cert: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, with files of its name in the site.
    #[must_use]
    pub fn new(site: &Site, name: &str) -> Self {
        let folder = site.folder("pki");
        std::fs::write(folder.join("openssl.cnf"), "[req]\ndistinguished_name = dn\n[dn]\n")
            .expect("a file can be written");
        let authority = Self { folder, name: name.to_owned() };
        let uses = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
        authority.make(name, name, &uses, false);
        authority
    }

    /// Its own certificate.
    #[must_use]
    pub fn cert(&self) -> PathBuf {
        self.folder.join(format!("{}.pem", self.name))
    }

    /// Signs a certificate for `localhost` and 127.0.0.1.
    #[must_use]
    pub fn server(&self, name: &str) -> Pair {
        let uses = [
            "basicConstraints=critical,CA:FALSE",
            "extendedKeyUsage=serverAuth",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ];
        self.make(name, "localhost", &uses, true)
    }

    /// Signs a certificate for a client.
    #[must_use]
    pub fn client(&self, name: &str) -> Pair {
        let uses = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"];
        self.make(name, name, &uses, true)
    }

    fn make(&self, file: &str, subject: &str, uses: &[&str], signed: bool) -> Pair {
        let pair = Pair { cert: self.folder.join(format!("{file}.pem")), key: self.folder.join(format!("{file}.key")) };
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-subj", &format!("/CN={subject}")]);
        openssl.arg("-config").arg(self.folder.join("openssl.cnf"));
        openssl.arg("-out").arg(&pair.cert).arg("-keyout").arg(&pair.key);
        uses.iter().for_each(|what| {
            openssl.args(["-addext", what]);
        });
        if signed {
            openssl.arg("-CA").arg(self.cert()).arg("-CAkey").arg(self.folder.join(format!("{}.key", self.name)));
        }
        let output = openssl.output().expect("OpenSSL 3 is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        pair
    }
}

impl Pair {
    /// Takes the place of another pair, each file in one step, as tools that renew certificates do it.
    pub fn replace(&self, other: &Self) {
        for (new, old) in [(&self.cert, &other.cert), (&self.key, &other.key)] {
            let beside = old.with_extension("new");
            std::fs::copy(new, &beside).expect("a file can be copied");
            std::fs::rename(&beside, old).expect("a file can be renamed");
        }
    }

    /// A copy under another name.
    #[must_use]
    pub fn copied(&self, folder: &Path, name: &str) -> Self {
        let copy = Self { cert: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
        std::fs::copy(&self.cert, &copy.cert).expect("a file can be copied");
        std::fs::copy(&self.key, &copy.key).expect("a file can be copied");
        copy
    }
}
