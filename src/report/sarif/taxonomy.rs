//! CWE and the OWASP NHI Top 10 as SARIF taxonomies.
//!
//! Only ids and names are carried, and only of what the run's rules and results refer to.

use std::collections::BTreeSet;

use serde_sarif::sarif::{
    MultiformatMessageString, ReportingDescriptor, ReportingDescriptorReference, ToolComponent,
    ToolComponentReference,
};

/// A weakness or risk that a rule or result refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Taxon {
    /// By CWE number.
    Cwe(u16),
    /// By number in the OWASP NHI Top 10 of 2025.
    Nhi(u8),
}

/// Version 5 UUIDs of the lists' addresses, in the URL name space.
const CWE_GUID: &str = "ec480a2c-8267-5d90-affc-401687cd64b0";
const NHI_GUID: &str = "379cd618-5974-5a3c-84ce-430ef637d91c";

const NHI_URI: &str = "https://owasp.org/www-project-non-human-identities-top-10/2025/";

impl Taxon {
    fn id(self) -> String {
        match self {
            Self::Cwe(n) => n.to_string(),
            Self::Nhi(n) => format!("NHI{n}:2025"),
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Cwe(n) => CWE_NAMES.iter().find(|(id, _)| *id == n).map(|it| it.1),
            Self::Nhi(n) => NHI_NAMES.get(usize::from(n).checked_sub(1)?).copied(),
        }
    }

    /// The tag that code scanning shows.
    pub(super) fn tag(self) -> String {
        match self {
            Self::Cwe(n) => format!("external/cwe/cwe-{n:03}"),
            Self::Nhi(n) => format!("owasp-nhi/nhi{n}"),
        }
    }

    /// How a rule stands to it, in SARIF's words.
    pub(super) fn relationship(self) -> &'static str {
        match self {
            Self::Cwe(_) => "superset",
            Self::Nhi(_) => "relevant",
        }
    }

    fn list(self) -> List {
        match self {
            Self::Cwe(_) => List::Cwe,
            Self::Nhi(_) => List::Nhi,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Cwe,
    Nhi,
}

impl List {
    const ALL: [Self; 2] = [Self::Cwe, Self::Nhi];

    fn reference(self) -> ToolComponentReference {
        let (name, guid) = match self {
            Self::Cwe => ("CWE", CWE_GUID),
            Self::Nhi => ("OWASP-NHI", NHI_GUID),
        };
        ToolComponentReference {
            name: Some(name.into()),
            guid: Some(guid.into()),
            index: Some(self as i64),
            ..Default::default()
        }
    }
}

/// The taxa of one run.
#[derive(Default)]
pub(super) struct Taxonomies(BTreeSet<Taxon>);

impl Taxonomies {
    /// Notes that `taxon` is referred to.
    pub(super) fn add(&mut self, taxon: Taxon) {
        self.0.insert(taxon);
    }

    /// A reference to `taxon`, which was added.
    pub(super) fn reference(&self, taxon: Taxon) -> ReportingDescriptorReference {
        let same_list = |other: &&Taxon| other.list() == taxon.list();
        let index = self.0.range(..taxon).filter(same_list).count();
        ReportingDescriptorReference {
            id: Some(taxon.id()),
            index: Some(index as i64),
            tool_component: Some(taxon.list().reference()),
            ..Default::default()
        }
    }

    /// For `driver.supportedTaxonomies`.
    pub(super) fn supported() -> Vec<ToolComponentReference> {
        List::ALL.into_iter().map(List::reference).collect()
    }

    /// For `run.taxonomies`.
    pub(super) fn components(&self) -> Vec<ToolComponent> {
        let component = |list| {
            let taxa = self.0.iter().filter(|taxon| taxon.list() == list);
            component(list, taxa.map(|&taxon| descriptor(taxon)).collect())
        };
        List::ALL.into_iter().map(component).collect()
    }
}

fn component(list: List, taxa: Vec<ReportingDescriptor>) -> ToolComponent {
    let reference = list.reference();
    let mut component = ToolComponent::builder()
        .name(reference.name.unwrap_or_default())
        .taxa(taxa)
        .is_comprehensive(false)
        .build();
    component.guid = reference.guid;
    let (organization, about, uri) = match list {
        List::Cwe => (
            "MITRE",
            "Common Weakness Enumeration.",
            "https://cwe.mitre.org/",
        ),
        List::Nhi => (
            "OWASP",
            "OWASP Top 10 of non-human identity risks.",
            NHI_URI,
        ),
    };
    component.organization = Some(organization.into());
    component.short_description = Some(text(about));
    component.information_uri = Some(uri.into());
    component.download_uri = Some(uri.into());
    if list == List::Nhi {
        component.version = Some("2025".into());
    }
    component
}

fn descriptor(taxon: Taxon) -> ReportingDescriptor {
    let mut descriptor = ReportingDescriptor::builder().id(taxon.id()).build();
    descriptor.short_description = taxon.name().map(text);
    descriptor.help_uri = Some(match taxon {
        Taxon::Cwe(n) => format!("https://cwe.mitre.org/data/definitions/{n}.html"),
        Taxon::Nhi(_) => NHI_URI.into(),
    });
    descriptor
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

const NHI_NAMES: [&str; 10] = [
    "Improper Offboarding",
    "Secret Leakage",
    "Vulnerable Third-Party NHI",
    "Insecure Authentication",
    "Overprivileged NHI",
    "Insecure Cloud Deployment Configurations",
    "Long-Lived Secrets",
    "Environment Isolation",
    "NHI Reuse",
    "Human Use of NHI",
];

const CWE_NAMES: &[(u16, &str)] = &[
    (256, "Plaintext Storage of a Password"),
    (257, "Storing Passwords in a Recoverable Format"),
    (259, "Use of Hard-coded Password"),
    (260, "Password in Configuration File"),
    (261, "Weak Encoding for Password"),
    (312, "Cleartext Storage of Sensitive Information"),
    (313, "Cleartext Storage in a File or on Disk"),
    (321, "Use of Hard-coded Cryptographic Key"),
    (
        214,
        "Invocation of Process Using Visible Sensitive Information",
    ),
    (522, "Insufficiently Protected Credentials"),
    (
        526,
        "Cleartext Storage of Sensitive Information in an Environment Variable",
    ),
    (532, "Insertion of Sensitive Information into Log File"),
    (
        538,
        "Insertion of Sensitive Information into Externally-Accessible File or Directory",
    ),
    (540, "Inclusion of Sensitive Information in Source Code"),
    (
        598,
        "Use of GET Request Method With Sensitive Query Strings",
    ),
    (
        615,
        "Inclusion of Sensitive Information in Source Code Comments",
    ),
    (798, "Use of Hard-coded Credentials"),
    (1391, "Use of Weak Credentials"),
    (1392, "Use of Default Credentials"),
];
