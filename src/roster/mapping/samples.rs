//! Headers of every family, for tests: header, family, and which column is taken for what.

use super::Family;

pub(crate) const SAMPLES: [(&str, Family, &str); 10] = [
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
    (
        "DN,cn,sn,title,telephoneNumber,givenName,displayName,department,name,sAMAccountName,userPrincipalName,mail,manager,mobile",
        Family::Ldap,
        "mail|givenName+sn|department|title|telephoneNumber|",
    ),
];

/// Headers in other languages, as systems that are used there write them: language, header, and e-mail, name, department,
/// title, phone and employee id.
pub(crate) const ABROAD: [(&str, &str, &str); 26] = [
    // Personio, and what is like it.
    (
        "de",
        "Personalnummer,Vorname,Nachname,E-Mail,Position,Abteilung,Vorgesetzter,Geburtsdatum",
        "E-Mail|Vorname+Nachname|Abteilung|Position||Personalnummer",
    ),
    // SAP and DATEV call the family name `Name`.
    (
        "de",
        "PersNr.,Name,Vorname,E-Mail (dienstlich),E-Mail (privat),Telefon (dienstl.),Telefon (privat),Kostenstelle",
        "E-Mail (dienstlich)|Vorname+Name|Kostenstelle||Telefon (dienstl.)|PersNr.",
    ),
    (
        "de",
        "Mitarbeiter-Nr.,Rufname,Vorsatzwort,Nachname,Geschäftliche E-Mail-Adresse,Persönliche E-Mail-Adresse,Telefon,Diensttelefon,Stellenbezeichnung,Organisationseinheit",
        "Geschäftliche E-Mail-Adresse|Rufname+Vorsatzwort+Nachname|Organisationseinheit|Stellenbezeichnung|Diensttelefon|Mitarbeiter-Nr.",
    ),
    (
        "de",
        "Mitarbeiternr,Name,Vorname,Dienstliche E-Mail,Telefon geschaeftlich,Taetigkeit,E-Mail Vorgesetzter,Notfallkontakt E-Mail",
        "Dienstliche E-Mail|Vorname+Name||Taetigkeit|Telefon geschaeftlich|Mitarbeiternr",
    ),
    // Entra and Microsoft 365 in German.
    (
        "de",
        "Name [displayName] Erforderlich,Benutzername [userPrincipalName] Erforderlich,Anfängliches Kennwort [passwordProfile] Erforderlich,Vorname [givenName],Nachname [surname],Position [jobTitle],Abteilung [department],Telefon (geschäftlich) [telephoneNumber],Mobiltelefon [mobile]",
        "Benutzername [userPrincipalName] Erforderlich|Name [displayName] Erforderlich|Abteilung [department]|Position [jobTitle]|Telefon (geschäftlich) [telephoneNumber]|",
    ),
    // Lucca.
    (
        "fr",
        "Matricule paie,Prénom,Nom,E-mail professionnel,Département/Service,Manager,E-mail du manager",
        "E-mail professionnel|Prénom+Nom|Département/Service|||Matricule paie",
    ),
    // Sage, Cegid and the like, in capitals without accents.
    (
        "fr",
        "MATRICULE,NOM,PRENOM,EMAIL PROFESSIONNEL,EMAIL PERSONNEL,TELEPHONE PORTABLE,TEL BUREAU,SERVICE,EMPLOI",
        "EMAIL PROFESSIONNEL|PRENOM+NOM|SERVICE|EMPLOI|TEL BUREAU|MATRICULE",
    ),
    (
        "fr",
        "N° matricule,Nom de famille,Prénom,Adresse e-mail professionnelle,Adresse e-mail personnelle,Intitulé du poste,Courriel du responsable",
        "Adresse e-mail professionnelle|Prénom+Nom de famille||Intitulé du poste||N° matricule",
    ),
    // Factorial and the like.
    (
        "es",
        "Nombre,Apellidos,Correo electrónico,Teléfono,Puesto,Departamento,Número de empleado,Responsable",
        "Correo electrónico|Nombre+Apellidos|Departamento|Puesto|Teléfono|Número de empleado",
    ),
    (
        "es",
        "Legajo,Nombres,Apellido Paterno,Apellido Materno,Email Corporativo,Email Personal,Teléfono oficina,Celular,Cargo,Centro de costo",
        "Email Corporativo|Nombres+Apellido Paterno+Apellido Materno|Centro de costo|Cargo|Teléfono oficina|Legajo",
    ),
    (
        "es",
        "Nº empleado,Primer nombre,Segundo nombre,Primer apellido,Segundo apellido,Correo corporativo,Correo personal,Correo del jefe",
        "Correo corporativo|Primer nombre+Segundo nombre+Primer apellido+Segundo apellido||||Nº empleado",
    ),
    // Zucchetti and the like.
    (
        "it",
        "Matricola,Cognome,Nome,E-mail aziendale,E-mail personale,Telefono ufficio,Cellulare,Mansione,Reparto,Responsabile",
        "E-mail aziendale|Nome+Cognome|Reparto|Mansione|Telefono ufficio|Matricola",
    ),
    (
        "it",
        "Codice dipendente,Nome,Cognome,Indirizzo e-mail,Ruolo,Centro di costo",
        "Indirizzo e-mail|Nome+Cognome|Centro di costo|Ruolo||Codice dipendente",
    ),
    (
        "pt",
        "Matrícula,Nome completo,E-mail corporativo,E-mail pessoal,Telefone comercial,Celular,Cargo,Setor,E-mail do gestor",
        "E-mail corporativo|Nome completo|Setor|Cargo|Telefone comercial|Matrícula",
    ),
    (
        "pt",
        "Número mecanográfico,Nome,Apelido,Correio eletrónico,Telefone,Função,Departamento",
        "Correio eletrónico|Nome+Apelido|Departamento|Função|Telefone|Número mecanográfico",
    ),
    (
        "pt",
        "Nome,Sobrenome,E-mail profissional,Cargo,Centro de custo",
        "E-mail profissional|Nome+Sobrenome|Centro de custo|Cargo||",
    ),
    // AFAS and the like.
    (
        "nl",
        "Personeelsnummer,Roepnaam,Voorvoegsel,Achternaam,E-mail werk,E-mail privé,Telefoon werk,Mobiel privé,Functie,Organisatorische eenheid",
        "E-mail werk|Roepnaam+Voorvoegsel+Achternaam|Organisatorische eenheid|Functie|Telefoon werk|Personeelsnummer",
    ),
    // In Belgium the family name is `Naam`.
    (
        "nl",
        "Medewerkernummer,Naam,Voornaam,Zakelijk e-mailadres,Afdeling,Functietitel,E-mail leidinggevende",
        "Zakelijk e-mailadres|Voornaam+Naam|Afdeling|Functietitel||Medewerkernummer",
    ),
    (
        "da",
        "Medarbejdernummer,Fornavn,Mellemnavn,Efternavn,Arbejdsmail,Privat e-mail,Telefon,Stilling,Afdeling,Leder",
        "Arbejdsmail|Fornavn+Mellemnavn+Efternavn|Afdeling|Stilling|Telefon|Medarbejdernummer",
    ),
    ("da", "Medarbejder-nr.,Navn,E-mail,Afdeling,Jobtitel", "E-mail|Navn|Afdeling|Jobtitel||Medarbejder-nr."),
    // Visma and the like.
    (
        "no",
        "Ansattnummer,Fornavn,Etternavn,E-post (jobb),E-post (privat),Telefon,Mobiltelefon,Stillingstittel,Avdeling,Personnummer",
        "E-post (jobb)|Fornavn+Etternavn|Avdeling|Stillingstittel|Telefon|Ansattnummer",
    ),
    (
        "sv",
        "Anställningsnummer,Personnummer,Förnamn,Efternamn,Jobbmejl,Privat mejl,Befattning,Avdelning,Chef",
        "Jobbmejl|Förnamn+Efternamn|Avdelning|Befattning||Anställningsnummer",
    ),
    ("sv", "Namn,E-postadress,Kostnadsställe,Telefon", "E-postadress|Namn|Kostnadsställe||Telefon|"),
    (
        "fi",
        "Työntekijänumero,Henkilötunnus,Sukunimi,Etunimi,Työsähköposti,Puhelinnumero,Tehtävänimike,Osasto,Esimies",
        "Työsähköposti|Etunimi+Sukunimi|Osasto|Tehtävänimike|Puhelinnumero|Työntekijänumero",
    ),
    (
        "pl",
        "Numer pracownika,Nazwisko,Imię,E-mail służbowy,E-mail prywatny,Telefon służbowy,Stanowisko,Dział,Przełożony",
        "E-mail służbowy|Imię+Nazwisko|Dział|Stanowisko|Telefon służbowy|Numer pracownika",
    ),
    ("pl", "Imię i nazwisko,Służbowy adres e-mail,Stanowisko", "Służbowy adres e-mail|Imię i nazwisko||Stanowisko||"),
];
