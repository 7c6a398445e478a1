//! What columns are called, language by language. A new language is one block of [`LANGUAGES`], and a sample of its headers
//! in `samples.rs`.
//!
//! Words stand one behind the other with blanks between them, the better one first, each as `header::squash` makes it: small
//! letters and digits only, without accents (`Prénom` is `prenom`, `Straße` is `strasse`, `Geschäft` is `geschaft`, and a
//! header may write that `Geschaeft`). A word that is not sure is left out: a wrong one makes wrong people, of a missing one
//! the user is asked, or says `--map`.

use super::header::Header;

/// The words of one language.
pub(super) struct Language {
    /// ISO 639-1.
    pub code: &'static str,
    /// E-mail addresses. Four letters at least: whatever holds one of these words is about mail.
    pub email: &'static str,
    /// Login names, which are the key if every value has an `@` and there is no e-mail column.
    pub login: &'static str,
    /// What stands before or behind a word for an e-mail or a phone and says: the one at work. Any language's goes with any.
    pub work: &'static str,
    /// The name: the whole where it stands alone, one half of it where the other half stands beside.
    pub name: &'static str,
    /// Whole names, whatever stands beside them, given name first. `Nachname, Vorname` in one column is none of these.
    pub whole: &'static str,
    /// Whole names that are used if there is nothing better, and for rows whose parts are all empty.
    pub shown: &'static str,
    /// Whole names of another kind, preferred or legal, that are used if there is nothing else at all.
    pub shown_else: &'static str,
    /// Given names.
    pub given: &'static str,
    /// What belongs between given and family name: `van der`, a second given name.
    pub between: &'static str,
    /// Family names.
    pub family: &'static str,
    /// What belongs behind the family name.
    pub behind: &'static str,
    /// Given and family names of another kind: a pair of them is a name, but a whole name may stand beside one of them.
    pub also: [&'static str; 2],
    /// Names that are not taken, but beside which a `name` is not the whole.
    pub beside: &'static str,
    /// Departments.
    pub department: &'static str,
    /// Cost centres: departments if nothing else says it.
    pub cost_centre: &'static str,
    /// Job titles. What may be "Dr" comes after what surely is a job.
    pub title: &'static str,
    /// Phones that are surely those at work, beside those that `work` makes of `phone`.
    pub phone_work: &'static str,
    /// Phones.
    pub phone: &'static str,
    /// Employee ids. What a state calls its people by (`Personnummer`) is none.
    pub employee_id: &'static str,
    /// What says that a column is private, somebody else's or out of date: whole words, `priv*` for words that begin so, and
    /// `*priv*` for whatever holds it.
    pub never: &'static str,
    /// What templates put behind a header that has to be filled in.
    pub required: &'static str,
}

const NONE: Language = Language {
    code: "",
    email: "",
    login: "",
    work: "",
    name: "",
    whole: "",
    shown: "",
    shown_else: "",
    given: "",
    between: "",
    family: "",
    behind: "",
    also: ["", ""],
    beside: "",
    department: "",
    cost_centre: "",
    title: "",
    phone_work: "",
    phone: "",
    employee_id: "",
    never: "",
    required: "",
};

/// All of them. Of equally good words in one file those of the earlier language count; English has what products write.
pub(super) static LANGUAGES: [Language; 12] = [
    Language {
        code: "en",
        email: "email emailaddress workemail workemailaddress emailwork mail primaryemail primaryemailaddress \
            primaryworkemail businessemail companyemail corporateemail workcontactworkemail emailprimarywork emailsvalue \
            primarysmtpaddress",
        login: "username userid login loginname userprincipalname upn",
        // `Office Email` and `Company Phone` may be everybody's.
        work: "",
        name: "name",
        whole: "fullname",
        shown: "displayname employeename nameformatted",
        shown_else: "legalname preferredname worker",
        given: "firstname givenname forename namegivenname",
        family: "lastname surname familyname namefamilyname",
        also: [
            "preferredfirstname preferrednamefirstname legalfirstname legalnamefirstname",
            "preferredlastname preferrednamelastname legallastname legalnamelastname",
        ],
        department: "department dept departmentname homedepartmentdescription supervisoryorganization",
        cost_centre: "costcenter costcentre",
        title: "jobtitle jobtitledescription businesstitle employeetitle title position positiontitle",
        phone_work: "phonework workphone workphonenumber officephone telephonenumber workcontactworkphone \
            phoneprimarywork primaryphone businessphone",
        phone: "phone phonenumber telephone",
        employee_id: "employeeid employeenumber employeeno employeenr employeecode employeeidnumber employeeidentifier \
            empid empnumber empno workerid workernumber workerno personnelnumber personnelid personnelno personnelnr \
            staffid staffnumber staffno associateid associatenumber associateno payrollid payrollnumber \
            externalidorganization",
        never: "*personal* *home* *private* *alternate* *alternative* *secondary* *second* *recovery* *backup* *other* \
            *manager* *supervisor* *reports* *reporting* *assistant* *emergency* *previous* *former* *old* *new* *best* \
            *mobile* *cell* *fax*",
        required: "required",
        ..NONE
    },
    Language {
        code: "de",
        email: "email emailadresse mail mailadresse emailanschrift",
        login: "benutzername benutzerprinzipalname anmeldename loginname",
        work: "dienstlich dienstliche dienstlicher dienstliches dienstl dienst geschaftlich geschaftliche geschaftlicher \
            geschaftliches geschaftl geschafts beruflich berufliche berufliches arbeit arbeits firmen",
        name: "name",
        whole: "vollstandigername vorundnachname vornachname vornameundnachname vornamenachname vornamename",
        shown: "anzeigename",
        given: "vorname rufname vornamen",
        between: "vorsatzwort",
        family: "nachname familienname zuname",
        department: "abteilung abteilungsname abteilungsbezeichnung organisationseinheit",
        cost_centre: "kostenstelle",
        title: "stellenbezeichnung positionsbezeichnung berufsbezeichnung jobtitel jobbezeichnung position funktion \
            tatigkeit",
        phone_work: "burotelefon telefonburo telefonnummerburo",
        phone: "telefon telefonnummer telefonnr rufnummer tel telnr",
        employee_id: "personalnummer personalnr personalid persnr mitarbeiternummer mitarbeiternr mitarbeiterid",
        never: "privat privat* personlich* vorgesetzt* fuhrungskr* chef chefin notfall* ehemalig* fruher* alt alte alter \
            altes alten neu neue neuer neues neuen mobil* handy* telefax* zweit* alternativ* sonstig* ersatz* weitere* \
            assisten* sekretariat* ansprechpartner* kontaktperson* stellvertret* abteilungsleit* teamleit* partner* \
            angehorig* wiederherstellung*",
        required: "erforderlich pflichtfeld",
        ..NONE
    },
    Language {
        code: "fr",
        email: "email adresseemail adressemail courriel adressecourriel courrierelectronique adresseelectronique \
            adressedemessagerie",
        login: "nomdutilisateur nomutilisateur identifiant",
        work: "professionnel professionnelle pro detravail travail",
        name: "nom",
        whole: "nomcomplet prenometnom prenomnom",
        shown: "nomdaffichage",
        given: "prenom prenoms",
        family: "nomdefamille",
        // Those of use are filled in only where they are other than those of birth.
        beside: "nomdusage nomusage nomusuel nommarital nomdenaissance nomdejeunefille prenomusuel prenomdusage",
        department: "service departement departementservice uniteorganisationnelle",
        cost_centre: "centredecout centredecouts",
        // A bare `Poste` may be an extension.
        title: "intituledeposte intituleduposte intituleposte titredeposte titreduposte libelleposte libelledeposte \
            posteoccupe fonction libelleemploi intituledelemploi emploi",
        phone_work: "telephonebureau telbureau telephonedubureau telephonedebureau",
        phone: "telephone numerodetelephone tel",
        employee_id: "matricule numeromatricule numerodematricule nmatricule nomatricule matriculesalarie \
            matriculedusalarie matriculepaie matriculedupersonnel matriculecollaborateur numerodemploye numeroemploye \
            numerodesalarie numerosalarie idsalarie idemploye codesalarie",
        never: "personnel personnelle perso prive* responsable manager superieur* hierarchique* urgence ancien ancienne \
            nouveau nouvelle portable secondaire* secours autre autres assistant* domicile telecopie* conjoint* \
            alternatif alternative chef directeur",
        required: "obligatoire requis",
        ..NONE
    },
    Language {
        code: "es",
        email: "email correo correoelectronico direcciondecorreo direcciondecorreoelectronico direcciondeemail",
        login: "nombredeusuario nombreusuario usuario",
        work: "corporativo corporativa laboral detrabajo deltrabajo trabajo profesional deempresa institucional",
        name: "nombre nombres",
        whole: "nombrecompleto nombreyapellido nombreyapellidos nombresyapellidos",
        shown: "nombreparamostrar",
        given: "nombredepila primernombre",
        between: "segundonombre",
        family: "apellidos apellido primerapellido apellido1 apellidopaterno",
        behind: "segundoapellido apellido2 apellidomaterno",
        department: "departamento unidadorganizativa",
        cost_centre: "centrodecoste centrodecostes centrodecosto centrodecostos",
        title: "puestodetrabajo puesto cargo titulodelpuesto nombredelpuesto",
        phone_work: "telefonooficina telefonodeoficina telefonodelaoficina",
        phone: "telefono numerodetelefono",
        employee_id: "numerodeempleado numeroempleado nempleado noempleado nodeempleado ndeempleado codigodeempleado \
            codigoempleado iddeempleado idempleado iddelempleado numerodepersonal legajo numerodelegajo",
        never: "personal particular privad* jefe jefa responsable supervisor* gerente emergencia* anterior antigu* nuevo \
            nueva movil celular secundari* alternativ* otro otra asistente recuperacion casa domicilio",
        required: "obligatorio requerido",
        ..NONE
    },
    Language {
        code: "it",
        email: "email indirizzoemail indirizzomail postaelettronica indirizzodipostaelettronica",
        login: "nomeutente",
        work: "aziendale lavoro dilavoro lavorativo lavorativa professionale",
        name: "nome",
        whole: "nomecompleto nomeecognome nomecognome",
        shown: "nomevisualizzato",
        family: "cognome",
        department: "reparto dipartimento unitaorganizzativa",
        cost_centre: "centrodicosto",
        // A `Qualifica` is a grade.
        title: "mansione posizionelavorativa posizione ruoloaziendale ruolo",
        phone_work: "telefonoufficio telefonodellufficio",
        phone: "telefono numeroditelefono",
        employee_id: "matricola numeromatricola numerodimatricola nmatricola matricoladipendente codicedipendente \
            iddipendente numerodipendente",
        never: "personale privat* responsabile superiore capo emergenza* precedente vecchi* nuovo nuova cellulare \
            secondari* alternativ* altro altra assistente recupero casa abitazione",
        required: "obbligatorio richiesto",
        ..NONE
    },
    Language {
        code: "pt",
        email: "email correioeletronico correioelectronico enderecodeemail enderecodecorreioeletronico \
            enderecodecorreioelectronico",
        login: "nomedeusuario nomedeutilizador usuario utilizador",
        work: "corporativo corporativa profissional empresarial detrabalho dotrabalho trabalho institucional",
        name: "nome",
        whole: "nomecompleto nomeesobrenome nomeeapelido",
        shown: "nomedeexibicao nomeaapresentar",
        given: "primeironome nomeproprio",
        // In Brazil an `Apelido` is a nickname: names::Tally looks at what stands in the columns.
        family: "apelido apelidos sobrenome ultimonome",
        department: "departamento setor unidadeorganizacional",
        cost_centre: "centrodecusto centrodecustos",
        title: "cargo funcao",
        phone_work: "telefonecomercial telefonedoescritorio telefoneescritorio",
        phone: "telefone numerodetelefone",
        employee_id: "matricula numerodematricula numerodofuncionario numerodefuncionario numerodocolaborador \
            numerodecolaborador numeromecanografico iddofuncionario idfuncionario codigodofuncionario \
            codigodocolaborador iddocolaborador",
        never: "pessoal pessoais particular privad* gestor* chefe superior supervisor* gerente responsavel emergencia* \
            anterior antig* novo nova telemovel celular secundari* alternativ* outro outra assistente recuperacao casa \
            residencial",
        required: "obrigatorio",
        ..NONE
    },
    Language {
        code: "nl",
        email: "email emailadres mailadres",
        login: "gebruikersnaam inlognaam",
        work: "werk zakelijk zakelijke",
        name: "naam",
        whole: "volledigenaam voorenachternaam",
        shown: "weergavenaam",
        given: "voornaam roepnaam voornamen",
        between: "tussenvoegsel tussenvoegsels voorvoegsel voorvoegsels",
        family: "achternaam familienaam",
        beside: "voorletters initialen geboortenaam",
        department: "afdeling afdelingsnaam organisatorischeeenheid",
        cost_centre: "kostenplaats",
        title: "functietitel functienaam functieomschrijving functie",
        phone_work: "telefoonkantoor kantoortelefoon",
        phone: "telefoon telefoonnummer tel",
        employee_id: "personeelsnummer personeelsnr personeelsid persnr medewerkernummer medewerkersnummer medewerkernr \
            medewerkerid werknemernummer werknemersnummer werknemernr werknemerid",
        never: "prive persoonlijk* leidinggevende* manager chef nood* vorig* oud oude nieuw nieuwe mobiel* gsm \
            secundair* alternatief alternatieve ander andere assistent* thuis herstel* partner*",
        required: "verplicht vereist",
        ..NONE
    },
    Language {
        code: "da",
        email: "email emailadresse mail mailadresse",
        login: "brugernavn",
        work: "arbejde arbejds",
        name: "navn",
        whole: "fuldenavn fuldtnavn forogefternavn",
        shown: "visningsnavn",
        given: "fornavn fornavne",
        between: "mellemnavn mellemnavne",
        family: "efternavn efternavne",
        department: "afdeling afdelingsnavn organisationsenhed",
        cost_centre: "omkostningssted",
        title: "stillingsbetegnelse stilling jobtitel",
        phone_work: "kontortelefon",
        phone: "telefon telefonnummer tlf",
        employee_id: "medarbejdernummer medarbejdernr medarbejderid",
        never: "privat* personlig* leder* chef* nodkontakt* parorende* tidligere gammel gamle nye mobil* sekundaer* \
            alternativ* anden andet assistent* hjemme*",
        required: "obligatorisk pakraevet",
        ..NONE
    },
    Language {
        code: "no",
        email: "epost epostadresse",
        login: "brukernavn",
        work: "jobb arbeid arbeids",
        name: "navn",
        whole: "fulltnavn forogetternavn",
        shown: "visningsnavn",
        given: "fornavn",
        between: "mellomnavn",
        family: "etternavn",
        department: "avdeling avdelingsnavn",
        cost_centre: "kostnadssted",
        title: "stillingstittel stillingsbetegnelse stilling",
        phone_work: "kontortelefon",
        phone: "telefon telefonnummer tlf",
        employee_id: "ansattnummer ansattnr ansattid",
        never: "privat* personlig* leder* sjef* nodkontakt* parorende* tidligere gammel nye mobil* sekundaer* \
            alternativ* annen annet assistent* hjemme*",
        required: "obligatorisk pakrevd",
        ..NONE
    },
    Language {
        code: "sv",
        email: "epost epostadress mejl mejladress mailadress emailadress",
        login: "anvandarnamn",
        work: "jobb arbete arbets",
        name: "namn",
        whole: "fullstandigtnamn forochefternamn",
        shown: "visningsnamn",
        given: "fornamn tilltalsnamn",
        between: "mellannamn",
        family: "efternamn",
        department: "avdelning avdelningsnamn",
        cost_centre: "kostnadsstalle",
        title: "befattning jobbtitel yrkestitel",
        phone: "telefon telefonnummer",
        employee_id: "anstallningsnummer anstallningsnr anstallningsid",
        never: "privat* personlig* chef* narmast* nya gammal tidigare mobil* sekundar* alternativ* annan assistent* \
            anhorig* nodkontakt*",
        required: "obligatorisk obligatoriskt",
        ..NONE
    },
    Language {
        code: "fi",
        email: "sahkoposti sahkopostiosoite",
        login: "kayttajatunnus kayttajanimi",
        work: "tyo",
        name: "nimi",
        whole: "kokonimi",
        given: "etunimi etunimet",
        family: "sukunimi",
        department: "osasto",
        cost_centre: "kustannuspaikka",
        title: "tehtavanimike ammattinimike",
        phone: "puhelin puhelinnumero",
        employee_id: "tyontekijanumero",
        never: "henkilokohtain* yksityi* esimies* esimieh* esihenkilo* hatayhteys* aiempi vanha uusi matkapuhelin* \
            toissijai* vaihtoehtoi* koti*",
        required: "pakollinen",
        ..NONE
    },
    Language {
        code: "pl",
        email: "email adresemail mail pocztaelektroniczna",
        login: "nazwauzytkownika",
        work: "sluzbowy sluzbowa sluzbowe sluzbowego firmowy firmowa",
        whole: "imieinazwisko",
        shown: "nazwawyswietlana",
        given: "imie imiona pierwszeimie",
        family: "nazwisko",
        department: "dzial departament jednostkaorganizacyjna",
        title: "stanowisko stanowiskopracy nazwastanowiska",
        phone: "telefon numertelefonu nrtelefonu",
        employee_id: "numerpracownika nrpracownika idpracownika",
        never: "prywatn* osobist* przelozon* kierownik* menedzer* awaryjn* poprzedni* stary stara stare nowy nowa nowe \
            komorkow* dodatkow* alternatywn* inny inna asystent* domow*",
        required: "wymagane",
        ..NONE
    },
];

/// Words that are English for something else: they count only beside another word of their language.
const FALSE_FRIENDS: [&str; 2] = ["service", "cargo"];

/// The words of a field as [`words_of`] gives them, without those that are English where nothing else in the header is of
/// their language.
pub(super) fn words_spoken<'h>(
    headers: &'h [Header],
    field: fn(&Language) -> &'static str,
) -> impl Iterator<Item = &'static str> + 'h {
    LANGUAGES.iter().flat_map(move |language| {
        let is_sure = |word: &&str| !FALSE_FRIENDS.contains(word) || is_spoken(headers, language);
        field(language).split_ascii_whitespace().filter(is_sure)
    })
}

/// Whether a column is called by a word that the language has and English has not. Phones are `Tel` in English, too.
fn is_spoken(headers: &[Header], language: &Language) -> bool {
    let words = |language: &Language| {
        let Language { email, name, whole, shown, given, family, department, title, employee_id, .. } = *language;
        [email, name, whole, shown, given, family, department, title, employee_id].map(str::split_ascii_whitespace)
    };
    let english: Vec<&str> = words(&LANGUAGES[0]).into_iter().flatten().chain(FALSE_FRIENDS).collect();
    let mut own = words(language).into_iter().flatten().filter(|word| !english.contains(word));
    own.any(|word| headers.iter().any(|header| header.is_own(word)))
}

/// The words that each language has in one of its fields, the languages in their order.
pub(super) fn words_of(field: impl Fn(&Language) -> &'static str) -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().flat_map(move |language| field(language).split_ascii_whitespace())
}

/// What is left of a word for an e-mail or a phone that says that it is the one at work.
pub(super) fn without_work(form: &str) -> impl Iterator<Item = &str> {
    let rests = |work: &'static str| [form.strip_prefix(work), form.strip_suffix(work)];
    words_of(|language| language.work).flat_map(rests).flatten().filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests;
