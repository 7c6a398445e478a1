//! Which paths exist.

/// A known path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Token,
    Users,
    Query,
    Search,
    One(&'a str),
    Me,
    Limits(&'a str),
    LimitDefaults(&'a str),
    Divisions,
    HomeDivision,
}

impl<'a> Route<'a> {
    pub(super) fn of(path: &'a str) -> Option<Self> {
        if path == "/oauth/token" {
            return Some(Self::Token);
        }
        let parts: Vec<&str> = path.strip_prefix("/api/v2/")?.split('/').collect();
        match parts.as_slice() {
            ["users"] => Some(Self::Users),
            ["users", "query"] => Some(Self::Query),
            ["users", "search"] => Some(Self::Search),
            ["users", id] if !id.is_empty() => Some(Self::One(id)),
            ["organizations", "me"] => Some(Self::Me),
            ["organizations", "limits", "namespaces", namespace] => Some(Self::Limits(namespace)),
            ["organizations", "limits", "namespaces", namespace, "defaults"] => Some(Self::LimitDefaults(namespace)),
            ["authorization", "divisions"] => Some(Self::Divisions),
            ["authorization", "divisions", "home"] => Some(Self::HomeDivision),
            _ => None,
        }
    }

    /// The path as the published spec writes it.
    pub(super) const fn template(self) -> &'static str {
        match self {
            Self::Token => "/oauth/token",
            Self::Users => "/api/v2/users",
            Self::Query => "/api/v2/users/query",
            Self::Search => "/api/v2/users/search",
            Self::One(_) => "/api/v2/users/{userId}",
            Self::Me => "/api/v2/organizations/me",
            Self::Limits(_) => "/api/v2/organizations/limits/namespaces/{namespaceName}",
            Self::LimitDefaults(_) => "/api/v2/organizations/limits/namespaces/{namespaceName}/defaults",
            Self::Divisions => "/api/v2/authorization/divisions",
            Self::HomeDivision => "/api/v2/authorization/divisions/home",
        }
    }

    /// What it can be asked, as the header `Allow` says it.
    pub(super) const fn methods(self) -> &'static str {
        match self {
            Self::Token => "POST",
            Self::Users | Self::Search => "GET, POST",
            Self::One(_) => "GET, PATCH, DELETE",
            Self::Query
            | Self::Me
            | Self::Limits(_)
            | Self::LimitDefaults(_)
            | Self::Divisions
            | Self::HomeDivision => "GET",
        }
    }

    /// Whether it is a page of users.
    pub(super) const fn lists_users(self) -> bool {
        matches!(self, Self::Users | Self::Query)
    }
}
