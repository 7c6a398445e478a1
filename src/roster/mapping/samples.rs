//! Headers of every family, for tests: header, family, and which column is taken for what.

use super::Family;

pub(crate) const SAMPLES: [(&str, Family, &str); 9] = [
    (
        "login,firstName,lastName,email,displayName,secondEmail,mobilePhone,primaryPhone,state,costCenter,division,department",
        Family::Okta,
        "email|firstName+lastName|department||primaryPhone|",
    ),
    (
        "First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],Recovery Email,Home Secondary Email,Work Secondary Email,Work Phone,Home Phone,Employee Title,Manager Email,Department,Cost Center",
        Family::Google,
        "Email Address [Required]|First Name [Required]+Last Name [Required]|Department|Employee Title|Work Phone|",
    ),
    (
        "Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,First name [givenName],Last name [surname],Job title [jobTitle],Department [department],State or province [state],Office phone [telephoneNumber],Mobile phone [mobile]",
        Family::Entra,
        "User name [userPrincipalName] Required|Name [displayName] Required|Department [department]|Job title [jobTitle]|Office phone [telephoneNumber]|",
    ),
    (
        "User Name,First Name,Last Name,Display Name,Job Title,Department,Office Number,Office Phone,Mobile Phone,Alternate email address",
        Family::Microsoft365,
        "User Name|Display Name|Department|Job Title|Office Phone|",
    ),
    (
        "Employee ID,Worker,Email - Primary Work,Business Title,Supervisory Organization,Cost Center,Worker's Manager",
        Family::Workday,
        "Email - Primary Work|Worker|Supervisory Organization|Business Title||",
    ),
    (
        "Employee #,First Name,Last Name,Work Email,Home Email,Best Email,Job Title,Department,Division,Work Phone,Mobile Phone,Status",
        Family::Bamboo,
        "Work Email|First Name+Last Name|Department|Job Title|Work Phone|",
    ),
    (
        "Legal First Name,Legal Last Name,Personal Contact: Personal Email,Work Contact: Work Email (Personal Profile),Work Contact: Work Phone,Job Title Description,Home Department Description",
        Family::Adp,
        "Work Contact: Work Email (Personal Profile)|Legal First Name+Legal Last Name|Home Department Description|Job Title Description|Work Contact: Work Phone|",
    ),
    (
        "userName,name.givenName,name.familyName,displayName,title,emails.value,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        Family::Scim,
        "emails.value|name.givenName+name.familyName|urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department|title||",
    ),
    (
        "name,email,phone_work,extension,title,department,email_manager,location_work,roles_divisions,queues,division,skills",
        Family::Genesys,
        "email|name|department|title|phone_work|division",
    ),
];
