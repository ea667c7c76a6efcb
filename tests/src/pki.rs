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
        authority.make(name, &format!("/CN={name}"), &uses, false);
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
        self.make(name, "/CN=localhost", &uses, true)
    }

    /// Signs a certificate for a client.
    #[must_use]
    pub fn client(&self, name: &str) -> Pair {
        self.client_of(name, &format!("/CN={name}"), &[])
    }

    /// Signs a certificate for a client with this subject, such as `/O=Example/CN=alice`, and alternative names such as
    /// `DNS:robot.example.com`.
    #[must_use]
    pub fn client_of(&self, file: &str, subject: &str, names: &[&str]) -> Pair {
        let mut uses = vec!["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"];
        let names = format!("subjectAltName={}", names.join(","));
        if !names.ends_with('=') {
            uses.push(&names);
        }
        self.make(file, subject, &uses, true)
    }

    /// Signs a certificate for a client whose time is over.
    #[must_use]
    pub fn expired_client(&self, file: &str) -> Pair {
        let pair = self.client(file);
        let asked = self.folder.join(format!("{file}.csr"));
        let mut ask = Command::new("openssl");
        ask.args(["req", "-new", "-subj", &format!("/CN={file}"), "-key"]).arg(&pair.key);
        run(ask.arg("-config").arg(self.settings()).arg("-out").arg(&asked));
        let mut sign = self.keep_books();
        sign.args([
            "-batch",
            "-notext",
            "-startdate",
            "20200101000000Z",
            "-enddate",
            "20200102000000Z",
            "-extensions",
            "use",
        ]);
        run(sign.arg("-in").arg(&asked).arg("-out").arg(&pair.cert));
        pair
    }

    /// Revokes certificates, and writes the list of all it has revoked. A list that is `stale` says itself that it is out of
    /// date.
    pub fn revoke(&self, pairs: &[&Pair], stale: bool) -> PathBuf {
        for pair in pairs {
            run(self.keep_books().arg("-revoke").arg(&pair.cert));
        }
        let list = self.folder.join(format!("{}.crl", self.name));
        let mut write = self.keep_books();
        write.args(["-gencrl"]);
        if stale {
            write.args(["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"]);
        }
        let new = list.with_extension("new");
        run(write.arg("-out").arg(&new));
        std::fs::rename(&new, &list).expect("a file can be renamed");
        list
    }

    /// `openssl ca`, which needs books to write down what it does.
    fn keep_books(&self) -> Command {
        let mut command = Command::new("openssl");
        command.arg("ca").arg("-config").arg(self.settings());
        command.arg("-cert").arg(self.cert()).arg("-keyfile").arg(self.folder.join(format!("{}.key", self.name)));
        command
    }

    fn settings(&self) -> PathBuf {
        let settings = self.folder.join(format!("{}.cnf", self.name));
        if !settings.exists() {
            let index = self.folder.join(format!("{}.index", self.name));
            std::fs::write(&index, "").expect("a file can be written");
            let lists = self.folder.join(format!("{}.lists", self.name));
            std::fs::write(&lists, "01\n").expect("a file can be written");
            let text = format!(
                "[ca]\ndefault_ca=books\n[books]\ndatabase={}\ncrlnumber={}\nnew_certs_dir={}\nrand_serial=yes\ndefault_md=sha256\n\
                 default_crl_days=2\ndefault_days=2\npolicy=any\n[any]\ncommonName=supplied\n\
                 [use]\nextendedKeyUsage=clientAuth\n[req]\ndistinguished_name=dn\n[dn]\n",
                index.display(),
                lists.display(),
                self.folder.display()
            );
            std::fs::write(&settings, text).expect("a file can be written");
        }
        settings
    }

    fn make(&self, file: &str, subject: &str, uses: &[&str], signed: bool) -> Pair {
        let pair = Pair { cert: self.folder.join(format!("{file}.pem")), key: self.folder.join(format!("{file}.key")) };
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-utf8", "-subj", subject]);
        openssl.arg("-config").arg(self.folder.join("openssl.cnf"));
        openssl.arg("-out").arg(&pair.cert).arg("-keyout").arg(&pair.key);
        uses.iter().for_each(|what| {
            openssl.args(["-addext", what]);
        });
        if signed {
            openssl.arg("-CA").arg(self.cert()).arg("-CAkey").arg(self.folder.join(format!("{}.key", self.name)));
        }
        run(&mut openssl);
        pair
    }
}

fn run(openssl: &mut Command) {
    let output = openssl.output().expect("OpenSSL 3 is installed");
    assert!(output.status.success(), "{openssl:?}: {}", String::from_utf8_lossy(&output.stderr));
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
